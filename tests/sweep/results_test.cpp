#include "sweep/results.h"

#include <algorithm>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "expect_error.h"
#include "run/records.h"
#include "run/run_info.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/ranges.h"
#include "sweep/fixed_plan.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

/// A sweep of two slopes and two seeds. The tests write its run directories themselves.
class SweepResults : public ::testing::Test {
 protected:
  SweepResults() {
    config_.sweep.negative_slope = {0.1, 0.2};
    config_.sweep.seeds = {0, 1};
    config_.training.total_images = 640;
    arms_ = make_arms(config_, directory_.path());
  }

  static MetricsRecord metrics(double fd) {
    MetricsRecord record;
    record.images = 640;
    record.extractor = "classifier@1a2b";
    record.samples = 1000;
    record.values = {{"fd", fd}, {"precision", 0.5}};
    record.floors = {{"fd", 0.25}};
    record.fd_repeat = fd + 1;
    record.fd_bias = 0.01;
    return record;
  }

  void write_run(std::size_t arm, const std::string& status, std::int64_t images) const {
    const RunPaths paths(arms_[arm].directory);
    make_directories(paths.root());
    HistoryRecord record;
    record.images = images;
    std::ofstream(paths.history_file()) << history_line(record) << "\n";
    std::ofstream(paths.run_info_file()) << "{\"status\": \"" + status + "\"}";
  }

  void write_done(std::size_t arm, const MetricsRecord& record) const {
    write_run(arm, "done", 640);
    std::ofstream(RunPaths(arms_[arm].directory).metrics_file()) << metrics_line(record) << "\n";
  }

  /// Records the hash of the images that the arm was trained on.
  void write_images(std::size_t arm, RunStatus status, const std::string& hash) const {
    RunInfo info;
    info.status = status;
    info.images = 640;
    info.dataset.hash = hash;
    write_run_info(RunPaths(arms_[arm].directory).run_info_file(), info);
  }

  TemporaryDirectory directory_;
  Config config_;
  std::vector<Arm> arms_;
};

TEST_F(SweepResults, TakeTheScoresFromTheLastLine) {
  write_done(0, metrics(3));
  std::ofstream(RunPaths(arms_[0].directory).metrics_file(), std::ios::app) << metrics_line(metrics(2)) << "\n";
  const auto scores = read_scores(config_, arms_);
  ASSERT_THAT(scores.arms, SizeIs(4));
  EXPECT_EQ(scores.arms[0].negative_slope, 0.1);
  EXPECT_EQ(scores.arms[0].outcome, ArmOutcome::done);
  EXPECT_EQ(scores.arms[0].fd, 2);
  EXPECT_EQ(scores.arms[0].fd_repeat, 3);
  EXPECT_EQ(scores.arms[1].outcome, ArmOutcome::pending);
  ASSERT_TRUE(scores.metric);
  EXPECT_EQ(scores.metric->name, "FD[classifier@1a2b,n=1000]");
  EXPECT_EQ(scores.metric->extractor, "classifier@1a2b");
  EXPECT_EQ(scores.metric->samples, 1000);
  EXPECT_EQ(scores.metric->images, 640);
  EXPECT_EQ(scores.metric->floor, 0.25);
  EXPECT_EQ(scores.metric->bias, 0.01);
  EXPECT_TRUE(scores.notes.empty());
}

TEST_F(SweepResults, KeepTheMetricsOfASecondExtractor) {
  for (std::size_t arm = 0; arm < 4; ++arm) {
    auto record = metrics(3 + static_cast<double>(arm));
    if (arm != 3) {
      record.others.emplace_back();
      record.others[0].extractor = "efficientnet-lite0-128@7880d583";
      record.others[0].values = {{"fd", 100 - static_cast<double>(arm)}};
      record.others[0].fd_bias = 7;
    }
    write_done(arm, record);
  }
  const auto scores = read_scores(config_, arms_);
  ASSERT_THAT(scores.rulers, SizeIs(1));
  EXPECT_EQ(scores.rulers[0].metric.name, "FD[efficientnet-lite0-128@7880d583,n=1000]");
  EXPECT_EQ(scores.rulers[0].metric.bias, 7);
  EXPECT_EQ(scores.rulers[0].fds, (std::vector<std::optional<double>>{100, 99, 98, std::nullopt}));
  write_results(config_, directory_.path(), arms_);
  std::ifstream file(directory_ / "results.csv");
  std::string header, first;
  std::getline(file, header);
  std::getline(file, first);
  EXPECT_THAT(header, HasSubstr("fd_floor,fd_repeat,extractor_2,fd_2,kd_2,"));
  EXPECT_THAT(first, HasSubstr(",efficientnet-lite0-128@7880d583,100,"));
  EXPECT_EQ(std::count(header.begin(), header.end(), ','), std::count(first.begin(), first.end(), ','));
}

TEST_F(SweepResults, ReportDifferentPrecisionsProcessorsAndKernels) {
  for (std::size_t arm = 0; arm < 4; ++arm) {
    write_done(arm, metrics(3));
    RunInfo info;
    info.status = RunStatus::done;
    info.images = 640;
    info.device = "cpu";
    info.precision = arm == 0 ? "float32" : "bfloat16";
    info.host.cpu = arm < 2 ? "Old, 4 cores" : "New";
    if (arm > 0) info.kernels = arm == 1 ? "measured" : "table";
    if (arm == 1) info.earlier_compute = {{320, "cpu", "float32", 1, "New"}, {480, "cpu", "bfloat16", 1, {}}};
    write_run_info(RunPaths(arms_[arm].directory).run_info_file(), info);
  }
  const auto notes = read_scores(config_, arms_).notes;
  ASSERT_THAT(notes, SizeIs(3));
  EXPECT_THAT(notes[0], HasSubstr("in different precisions: 2 in bfloat16, 1 in bfloat16 and float32, 1 in float32."));
  EXPECT_THAT(notes[1], HasSubstr("on different processors: 2 on New, 1 on New and Old, 4 cores, 1 on Old, 4 cores."));
  EXPECT_THAT(notes[2], HasSubstr("1 with measured kernels, 2 with the table of kernels."));
  write_results(config_, directory_.path(), arms_);
  const auto csv = read_file(directory_ / "results.csv", 1 << 20);
  EXPECT_THAT(csv.substr(0, csv.find('\n')), ::testing::EndsWith(",training_precision,processor"));
  EXPECT_THAT(csv, HasSubstr(",float32,\"Old, 4 cores\"\n"));
  EXPECT_THAT(csv, HasSubstr(",bfloat16 and float32,\"New and Old, 4 cores\"\n"));
  EXPECT_THAT(csv, ::testing::EndsWith(",bfloat16,New\n"));
}

TEST_F(SweepResults, ScoreOnlyFinishedArms) {
  write_done(0, metrics(3));
  write_run(0, "stopped", 320);
  write_run(1, "failed", 320);
  write_run(2, "diverged", 320);
  auto early = metrics(3);
  early.images = 320;  // before the end of training
  write_done(3, early);
  const auto scores = read_scores(config_, arms_);
  EXPECT_EQ(scores.arms[0].outcome, ArmOutcome::pending);
  EXPECT_EQ(scores.arms[1].outcome, ArmOutcome::error);
  EXPECT_EQ(scores.arms[2].outcome, ArmOutcome::diverged);
  EXPECT_EQ(scores.arms[3].outcome, ArmOutcome::done);
  for (const auto& arm : scores.arms) EXPECT_FALSE(arm.fd);
  EXPECT_FALSE(scores.metric);
}

TEST_F(SweepResults, DoNotScoreAnArmThatCollapsedAtTheEnd) {
  for (const std::size_t arm : {0, 1}) {
    write_done(arm, metrics(3));
    DiagnosticsRecord early, late;
    (arm == 0 ? late : early).sentinels = {"saturation", "collapse"};  // arm 1 has recovered
    std::ofstream(RunPaths(arms_[arm].directory).diagnostics_file()) << diagnostics_text(early) << "\n"
                                                                     << diagnostics_text(late) << "\n";
  }
  const auto scores = read_scores(config_, arms_);
  EXPECT_EQ(scores.arms[0].outcome, ArmOutcome::collapsed);
  EXPECT_EQ(scores.arms[1].outcome, ArmOutcome::done);
  write_results(config_, directory_.path(), arms_);
  const std::string csv = read_file(directory_ / "results.csv", std::size_t{1} << 20);
  EXPECT_THAT(csv, HasSubstr("slope_0.1-seed_0,0.1,0,collapsed,640"));
  EXPECT_THAT(csv, HasSubstr("slope_0.2-seed_0,0.2,0,done,640"));
  EXPECT_THAT(results_table(arms_), HasSubstr("slope_0.1-seed_0 collapsed"));
}

TEST_F(SweepResults, OmitAnUnreliableBias) {
  auto record = metrics(3);
  record.features = 600;
  record.real_samples = 60'000;
  write_done(0, record);
  EXPECT_FALSE(read_scores(config_, arms_).metric->bias);
}

TEST_F(SweepResults, ExcludeArmsMeasuredDifferently) {
  write_done(0, metrics(3));
  write_done(1, metrics(4));
  auto other = metrics(5);
  other.samples = 500;
  write_done(2, other);
  other = metrics(5);
  other.extractor = "another";
  write_done(3, other);
  const auto scores = read_scores(config_, arms_);
  EXPECT_TRUE(scores.arms[0].fd && scores.arms[1].fd);
  EXPECT_FALSE(scores.arms[2].fd || scores.arms[3].fd);
  ASSERT_THAT(scores.notes, SizeIs(1));
  EXPECT_THAT(scores.notes[0],
              HasSubstr("2 arms were evaluated differently: 500 generated images instead of 1000; feature extractor "
                        "another instead of classifier@1a2b."));
}

class PlannedResults : public SweepResults {
 protected:
  /// Returns, for each seed, the number of slopes whose FD is used. The seeds in `others` have the metrics `other`,
  /// which differ from the plan in the extractor or in the number of images.
  std::vector<double> slopes_scored_by_seed(const std::vector<std::int64_t>& others, const MetricsRecord& other) {
    config_.sweep.seeds = {0, 1, 2, 3};
    arms_ = make_arms(config_, directory_.path());
    for (std::size_t i = 0; i < arms_.size(); ++i) {
      const bool is_other = contains(others, arms_[i].seed);
      write_done(i, is_other ? other : metrics(3));
    }
    const FixedPlan plan{{0.1, 0.2}, 0.2, {0, 1}, 640, "classifier@1a2b"};
    std::vector<double> scored(4);
    for (const auto& arm : read_scores(config_, arms_, plan).arms) {
      scored.at(static_cast<std::size_t>(arm.seed)) += arm.fd.has_value();
    }
    return scored;
  }
};

TEST_F(PlannedResults, AreUsedEvenIfMoreArmsWereEvaluatedDifferently) {
  auto other = metrics(3);
  other.extractor = "classifier@0000";
  EXPECT_THAT(slopes_scored_by_seed({2, 3}, other), ElementsAre(2, 2, 0, 0));
  EXPECT_THAT(slopes_scored_by_seed({1, 2, 3}, other), ElementsAre(2, 0, 0, 0));
  other = metrics(3);
  other.images = 320;
  config_.training.total_images = 320;
  EXPECT_THAT(slopes_scored_by_seed({2, 3}, other), ElementsAre(2, 2, 0, 0));
  EXPECT_THAT(slopes_scored_by_seed({1, 2, 3}, other), ElementsAre(2, 0, 0, 0));
  // No seed was evaluated as planned.
  EXPECT_THAT(slopes_scored_by_seed({0, 1, 2, 3}, other), ElementsAre(2, 2, 2, 2));
}

TEST_F(PlannedResults, ArePreferredEvenIfOnlyAddedSeedsHaveThePlannedExtractor) {
  auto other = metrics(3);
  other.extractor = "classifier@0000";
  EXPECT_THAT(slopes_scored_by_seed({0, 1}, other), ElementsAre(2, 2, 0, 0));
}

TEST_F(PlannedResults, DecideTheVerdictsIfSeedsWereAddedWithAnotherExtractor) {
  config_.sweep.seeds = {0, 1, 2, 3, 4, 5, 6};
  arms_ = make_arms(config_, directory_.path());
  auto other = metrics(5);
  other.extractor = "classifier@0000";
  note_plan(directory_.path(), {{0.1, 0.2}, 0.2, {0}, 640, "classifier@1a2b"});
  for (std::size_t i = 0; i < arms_.size(); ++i) write_done(i, arms_[i].seed == 0 ? metrics(3) : other);
  const auto file = write_statistics(config_, directory_.path(), arms_);
  EXPECT_THAT(file.answer, HasSubstr("1 seed cannot show a difference"));
  EXPECT_THAT(file.notes, Contains(HasSubstr("12 arms were evaluated differently: feature extractor classifier@0000 "
                                             "instead of classifier@1a2b.")));
  EXPECT_THAT(file.notes, Contains(HasSubstr("do not affect the verdicts")));
}

TEST_F(SweepResults, HaveNoStatisticsIfRaceJsonIsMissing) {
  config_.sweep.design = SweepDesign::race;
  for (std::size_t i = 0; i < arms_.size(); ++i) write_done(i, metrics(3));
  EXPECT_THAT(message_of<UsageError>([&] { write_statistics(config_, directory_.path(), arms_); }),
              HasSubstr("race.json does not exist"));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "statistics.json"));
}

TEST_F(SweepResults, ExcludeArmsTrainedOnOtherImages) {
  const std::vector<std::string> hashes = {"aa", "bb", "aa", ""};  // the last arm has no hash of its images
  for (std::size_t arm = 0; arm < 4; ++arm) {
    write_done(arm, metrics(3));
    if (hashes[arm].empty()) continue;
    write_images(arm, RunStatus::done, hashes[arm]);
  }
  const auto scores = read_scores(config_, arms_);
  EXPECT_TRUE(scores.arms[0].fd && scores.arms[2].fd && scores.arms[3].fd);
  EXPECT_FALSE(scores.arms[1].fd);
  EXPECT_EQ(scores.arms[1].outcome, ArmOutcome::error);
  ASSERT_THAT(scores.notes, SizeIs(1));
  EXPECT_THAT(scores.notes[0], HasSubstr("1 arm was trained on images that differ"));
}

TEST_F(SweepResults, ExcludeAddedSeedsThatWereNotTrainedOnTheImagesOfThePlannedSeeds) {
  config_.sweep.seeds = {0, 1, 2};
  arms_ = make_arms(config_, directory_.path());
  for (std::size_t arm = 0; arm < 6; ++arm) {
    write_done(arm, metrics(3));
    write_images(arm, RunStatus::done, arms_[arm].seed == 0 ? "aa" : "bb");
  }
  FixedPlan plan;
  plan.seeds = {0};
  plan.images = 640;
  plan.extractor = "classifier@1a2b";
  for (const auto& arm : read_scores(config_, arms_, plan).arms) EXPECT_EQ(arm.fd.has_value(), arm.seed == 0);
}

TEST_F(SweepResults, DoNotCountADivergenceOnOtherImages) {
  for (std::size_t arm = 0; arm < 4; ++arm) {
    write_done(arm, metrics(3));
    write_images(arm, arm == 3 ? RunStatus::diverged : RunStatus::done, arm == 3 ? "bb" : "aa");
  }
  EXPECT_EQ(read_scores(config_, arms_).arms[3].outcome, ArmOutcome::error);
}

TEST_F(SweepResults, IgnoreUnreadableFiles) {
  write_done(0, metrics(3));
  write_done(1, metrics(4));
  std::ofstream(RunPaths(arms_[1].directory).metrics_file()) << "garbage\n";
  const auto scores = read_scores(config_, arms_);
  EXPECT_TRUE(scores.arms[0].fd);
  EXPECT_FALSE(scores.arms[1].fd);
}

TEST_F(SweepResults, SayIfTheLabelsSeemToBeUnrelatedToTheImages) {
  auto record = metrics(3);
  record.classifier = ClassifierAccuracy{0.9, 0.1, 100};
  record.others.emplace_back();
  record.others[0].extractor = "other@1";
  record.others[0].values = {{"fd", 4}};
  for (std::size_t arm = 0; arm < 4; ++arm) write_done(arm, record);
  EXPECT_THAT(write_statistics(config_, directory_.path(), arms_).findings, Not(Contains(HasSubstr("unrelated"))));
  record.classifier->accuracy = 0.1;
  write_done(3, record);
  const auto file = write_statistics(config_, directory_.path(), arms_);
  EXPECT_THAT(file.findings, Contains(HasSubstr("The labels seem to be unrelated to the images")));
  EXPECT_FALSE(read_scores(config_, arms_).rulers.at(0).metric.caveat);
  const auto read = parse_statistics(read_file(directory_ / "statistics.json", 1 << 20));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->metric->caveat, unrelated_labels_text(record));
  EXPECT_EQ(read->findings, file.findings);

  record.others[0].classifier = ClassifierAccuracy{0.1, 0.1, 100};
  write_done(3, record);
  EXPECT_EQ(read_scores(config_, arms_).rulers.at(0).metric.caveat, unrelated_labels_text(record.others[0]));
}

TEST_F(SweepResults, WriteTheStatisticsFile) {
  for (std::size_t i = 0; i < 4; ++i) write_done(i, metrics(arms_[i].negative_slope == 0.1 ? 5 : 10));
  const auto sentence = write_statistics(config_, directory_.path(), arms_).answer;
  const auto json = nlohmann::json::parse(read_file(directory_ / "statistics.json", 1 << 20));
  EXPECT_EQ(json.at("answer"), sentence);
  EXPECT_THAT(sentence, HasSubstr("2 seeds cannot show"));
  EXPECT_EQ(json.at("metric").at("name"), "FD[classifier@1a2b,n=1000]");
  EXPECT_EQ(json.at("metric").at("floor"), 0.25);
  EXPECT_EQ(json.at("metric").at("bias"), 0.01);
  EXPECT_EQ(json.at("control"), 0.2);
  EXPECT_EQ(json.at("seeds"), nlohmann::json({0, 1}));
  const auto& comparison = json.at("comparisons").at(0);
  EXPECT_EQ(comparison.at("negative_slope"), 0.1);
  EXPECT_NEAR(comparison.at("median_ratio").get<double>(), 0.5, 1e-12);
  EXPECT_EQ(comparison.at("p"), 0.5);
  EXPECT_EQ(comparison.at("significant"), false);
  EXPECT_EQ(comparison.at("can_be_significant"), false);
  EXPECT_EQ(comparison.at("verdict"), "too_few_seeds");
  EXPECT_TRUE(comparison.at("simultaneous_interval").at(1).is_null());
  EXPECT_EQ(json.at("slopes").at(0).at("probability_best"), 1);
  EXPECT_EQ(json.at("missing").size(), 0u);
}

TEST_F(SweepResults, WriteEveryMetricToTheCsv) {
  auto record = metrics(2.5);
  record.extractor = "my, \"own\"";
  record.values["sharpness"] = 7;
  write_done(1, record);
  write_results(config_, directory_.path(), arms_);
  const auto text = read_file(directory_ / "results.csv", 1 << 20);
  EXPECT_THAT(text, HasSubstr(",memory_mib,metrics_images,extractor,samples,fd,kd,precision,recall,density,coverage,"
                              "classifier_score,class_kl,copied_share,copying_z,sharpness,fd_floor,fd_repeat,"
                              "training_precision,processor\n"));
  EXPECT_THAT(text, HasSubstr(",640,\"my, \"\"own\"\"\",1000,2.5,,0.5,,,,,,,,7,0.25,3.5,,\n"));
  const auto header = text.substr(0, text.find('\n'));
  const auto pending = text.substr(text.find("\nslope_0.1-seed_0,") + 1);
  EXPECT_EQ(std::count(header.begin(), header.end(), ','),
            std::count(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(pending.find('\n')), ','));
}

}  // namespace
}  // namespace slopegan
