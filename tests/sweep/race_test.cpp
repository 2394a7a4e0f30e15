#include "sweep/race.h"

#include <algorithm>
#include <fstream>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "run/records.h"
#include "run/run_directory.h"
#include "support/errors.h"
#include "support/files.h"
#include "sweep/results.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// A race of two slopes against the control. The tests write its run directories themselves.
class RaceOfFiles : public ::testing::Test {
 protected:
  RaceOfFiles() {
    config_.run.output_dir = directory_.path();
    config_.run.name = "race";
    config_.sweep.design = SweepDesign::race;
    config_.sweep.negative_slope = {0, 0.2, 1};
    config_.sweep.seeds = {7};
    config_.training.total_images = 1280;
    config_.metrics.every_images = 320;
    config_.metrics.samples = 100;
    const RacePlan plan = race_plan(config_);
    config_ = race_config(config_, plan);
    planned_ = planned_race(config_, plan, "random@1", "hash");
    write_plan(open_sweep(config_), planned_);
    arms_ = make_arms(config_, sweep_dir());
  }

  std::filesystem::path sweep_dir() const { return directory_ / "race"; }
  std::string race_text() const { return read_file(sweep_dir() / "race.json", 1 << 20); }

  static std::string line(std::int64_t images, double fd, const std::string& extractor) {
    MetricsRecord record;
    record.images = images;
    record.extractor = extractor;
    record.samples = 100;
    record.values = {{"fd", fd}};
    return metrics_line(record) + "\n";
  }

  /// Slope 0 is better than the control 0.2, and slope 1 is much worse.
  static double fd_of(const Arm& arm) {
    const double factor = arm.negative_slope == 0 ? 0.7 : arm.negative_slope == 1 ? 3 : 1;
    return factor * (1 + 0.01 * static_cast<double>(arm.seed));
  }

  void start(const Arm& arm) const {
    const RunPaths paths(arm.directory);
    make_directories(paths.root());
    std::ofstream(paths.run_info_file()) << R"({"status": "running"})";
    HistoryRecord record;
    record.images = 640;
    std::ofstream(paths.history_file()) << history_line(record) << "\n";
    std::ofstream(paths.metrics_file()) << line(320, 9, "random@1") << line(640, fd_of(arm), "random@1");
  }

  void finish(const Arm& arm, const std::string& extractor = "random@1") const {
    start(arm);
    const RunPaths paths(arm.directory);
    HistoryRecord record;
    record.images = 1280;
    std::ofstream(paths.history_file(), std::ios::app) << history_line(record) << "\n";
    std::ofstream(paths.metrics_file(), std::ios::app) << line(1280, fd_of(arm), extractor);
    std::ofstream(paths.run_info_file()) << R"({"status": "done"})";
  }

  RaceFollower follower() const { return {config_, sweep_dir(), planned_, arms_}; }

  TemporaryDirectory directory_;
  Config config_;
  PlannedRace planned_;
  std::vector<Arm> arms_;
};

std::vector<std::string> names_of(const std::vector<const Arm*>& arms) {
  std::vector<std::string> names;
  for (const Arm* arm : arms) names.push_back(arm->name);
  return names;
}

TEST_F(RaceOfFiles, HasConsecutiveSeedsAndAnIntermediateEvaluation) {
  EXPECT_EQ(config_.sweep.seeds.front(), 7);
  EXPECT_EQ(std::ssize(config_.sweep.seeds), planned_.plan.looks.back());
  EXPECT_EQ(planned_.interim_images, 640);
  EXPECT_EQ(planned_.first_seed, 7);
  EXPECT_THAT(race_text(), HasSubstr(plan_hash(planned_)));
}

TEST_F(RaceOfFiles, AddsAnEvaluationIfGivingUpOnSlopesRequiresOne) {
  Config config = config_;
  config.metrics.every_images = 1280;
  EXPECT_EQ(interim_images(config), 0);
  config = race_config(config, planned_.plan);
  EXPECT_EQ(config.metrics.every_images, 640);
  EXPECT_EQ(interim_images(config), 640);
  config.sweep.give_up = 0;
  EXPECT_EQ(planned_race(config, planned_.plan, "random@1", "hash").interim_images, 0);
  config.sweep.give_up = 1.5;
  config.training.total_images = config.training.batch_size;  // one step
  EXPECT_EQ(planned_race(race_config(config, planned_.plan), planned_.plan, "random@1", "hash").plan.give_up, 0);
}

TEST_F(RaceOfFiles, MakesNoDecisionAtAnIncompleteLook) {
  auto race = follower();
  EXPECT_EQ(names_of(race.agenda({}).needed).front(), "slope_0.2-seed_7");
  const auto first_look = planned_.plan.looks.front();
  for (const auto& arm : arms_) {
    const bool is_last = arm.negative_slope == 0 && arm.seed == 7 + first_look - 1;
    if (arm.seed < 7 + first_look && !is_last) finish(arm);
  }
  EXPECT_THAT(race.update().looks, IsEmpty());
  EXPECT_EQ(race.state().slopes[0].decision, Verdict::undecided);
  EXPECT_EQ(race.state().slopes[1].decision, Verdict::given_up);
  const auto needed = race.agenda({}).needed;
  ASSERT_THAT(needed, SizeIs(1));
  start(*needed.front());
  EXPECT_THAT(race.update().looks, IsEmpty());
  finish(*needed.front());
  EXPECT_THAT(race.update().looks, SizeIs(1));
  EXPECT_EQ(race.state().slopes[0].decision, Verdict::better);
  EXPECT_TRUE(race.state().is_over);
  EXPECT_THAT(race.agenda({}).needed, IsEmpty());
}

TEST_F(RaceOfFiles, CountsTheArmsOfLaterLooksThatMayStillBeTrained) {
  auto race = follower();
  EXPECT_EQ(race.agenda({}).most, arms_.size());
  const auto first_look = planned_.plan.looks.front();
  for (const auto& arm : arms_) {
    const bool is_last = arm.negative_slope == 0 && arm.seed == 7 + first_look - 1;
    if (arm.seed < 7 + first_look && arm.negative_slope != 1 && !is_last) finish(arm);
  }
  for (const auto& arm : arms_) {
    if (arm.seed < 9 && arm.negative_slope == 1) finish(arm);
  }
  const auto agenda = race.agenda({});
  ASSERT_EQ(race.state().slopes[1].decision, Verdict::given_up);
  EXPECT_THAT(agenda.needed, SizeIs(1));
  const auto later = planned_.plan.looks.back() - first_look;  // arms of slope 0 and of the control
  EXPECT_EQ(static_cast<std::int64_t>(agenda.most), 1 + 2 * later);
  finish(*agenda.needed.front());
  EXPECT_EQ(race.agenda({}).most, 0u) << "the race is over";
}

TEST_F(RaceOfFiles, ListsArmsThatItDoesNotNeedAsNotNeededInTheResults) {
  const auto status_of = [&](const std::string& arm) {
    write_results(config_, sweep_dir(), arms_);
    const auto csv = read_file(sweep_dir() / "results.csv", 1 << 20);
    const auto begin = csv.find(",", csv.find(",", csv.find("\n" + arm + ",") + arm.size() + 2) + 1) + 1;
    return csv.substr(begin, csv.find(",", begin) - begin);
  };
  auto race = follower();
  EXPECT_EQ(status_of("slope_1-seed_9"), "pending");
  for (const auto& arm : arms_) {
    if (arm.seed < 9) finish(arm);
  }
  race.update();
  ASSERT_EQ(race.state().slopes[1].decision, Verdict::given_up);
  EXPECT_EQ(status_of("slope_1-seed_8"), "done");
  EXPECT_EQ(status_of("slope_1-seed_9"), "not needed");
  EXPECT_EQ(status_of("slope_0-seed_9"), "pending");
  EXPECT_EQ(status_of("slope_0.2-seed_9"), "pending");
  while (!race.agenda({}).needed.empty()) finish(*race.agenda({}).needed.front());
  EXPECT_EQ(status_of("slope_0-seed_9"), "done");
  EXPECT_EQ(read_file(sweep_dir() / "results.csv", 1 << 20).find("pending"), std::string::npos);
  EXPECT_EQ(status_of("slope_0.2-seed_" + std::to_string(arms_.back().seed)), "not needed");
}

TEST_F(RaceOfFiles, ArmsThatNoLongerMatterChangeNothing) {
  auto race = follower();
  while (!race.agenda({}).needed.empty()) finish(*race.agenda({}).needed.front());
  const auto text = race_text();
  for (const auto& arm : arms_) finish(arm);
  race.update();
  EXPECT_EQ(race_text(), text);
}

TEST_F(RaceOfFiles, TheFileDependsNeitherOnTheOrderInWhichArmsEndNorOnItsWriter) {
  for (const auto& arm : arms_) finish(arm);
  follower().update();
  const auto expected = race_text();
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    remove_tree(sweep_dir());
    write_plan(open_sweep(config_), planned_);
    std::vector<Arm> order = arms_;
    std::shuffle(order.begin(), order.end(), random);
    std::optional<RaceFollower> followers[2];
    for (const auto& arm : order) {
      auto& one = followers[random() % 2];
      if (random() % 4 == 0) one.reset();  // the process was killed
      if (!one) one.emplace(config_, sweep_dir(), planned_, arms_);
      if (random() % 2 == 0) start(arm);
      if (random() % 2 == 0) one->update();
      finish(arm);
      if (random() % 3 == 0) one->update();
    }
    follower().update();
    EXPECT_EQ(race_text(), expected) << seed;
  }
}

TEST_F(RaceOfFiles, TheStoredConfigurationKeepsTheLooksPlannedByWithin) {
  PlannedRace longer = planned_;
  longer.plan.looks = race_plan(config_, 5).looks;
  longer.plan.alphas = race_plan(config_, 5).alphas;
  ASSERT_EQ(longer.plan.looks.size(), 5u);
  write_plan(sweep_dir(), longer);
  start(arms_.front());
  const Config stored = load_sweep(sweep_dir());
  const RacePlan plan = continued_plan(stored, sweep_dir());
  EXPECT_EQ(plan.looks, longer.plan.looks);
  EXPECT_EQ(plan.alphas, longer.plan.alphas);
  EXPECT_NO_THROW(check_plan(sweep_dir(), planned_race(race_config(stored, plan), plan, "random@1", "hash")));
  Config other = stored;
  other.sweep.alpha = 0.1;
  EXPECT_EQ(continued_plan(other, sweep_dir()).looks.size(), 3u);
  other = stored;
  other.sweep.negative_slope = {0, 0.2};
  EXPECT_EQ(continued_plan(other, sweep_dir()).looks.size(), 3u);
  EXPECT_EQ(continued_plan(stored, directory_ / "new").looks.size(), 3u);
}

TEST_F(RaceOfFiles, TheStatisticsHaveTheVerdictsOfTheRace) {
  for (const auto& arm : arms_) finish(arm);
  follower().update();
  write_statistics(config_, sweep_dir(), arms_);
  const auto file = parse_statistics(read_file(sweep_dir() / "statistics.json", 1 << 20));
  ASSERT_TRUE(file);
  ASSERT_THAT(file->statistics.comparisons, SizeIs(2));
  EXPECT_EQ(file->statistics.comparisons[0].verdict, Verdict::better);
  EXPECT_TRUE(file->statistics.comparisons[0].significant);
  EXPECT_EQ(file->statistics.comparisons[1].verdict, Verdict::given_up);
  EXPECT_FALSE(file->statistics.comparisons[1].significant);
  for (const auto& comparison : file->statistics.comparisons) {
    EXPECT_TRUE(comparison.median_ratio);
    EXPECT_FALSE(comparison.p || comparison.p_holm || comparison.simultaneous_interval);
  }
}

TEST_F(RaceOfFiles, ADifferentPlanIsRejectedOnceThereAreResults) {
  PlannedRace other = planned_;
  other.images = 2560;
  EXPECT_NO_THROW(write_plan(sweep_dir(), other)) << "no arm has been trained";
  write_plan(sweep_dir(), planned_);
  {
    const auto run = RunDirectory::create(arms_.front().directory);
    EXPECT_THROW(write_plan(sweep_dir(), other), UsageError) << "another process is training an arm";
    EXPECT_NO_THROW(write_plan(sweep_dir(), planned_));
  }
  start(arms_.front());
  EXPECT_NO_THROW(write_plan(sweep_dir(), planned_));
  try {
    check_plan(sweep_dir(), other);
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("a different plan (images: 1280 -> 2560)"));
    EXPECT_THAT(error.what(), HasSubstr("choose another run.name"));
  }
  std::filesystem::remove(sweep_dir() / "race.json");
  EXPECT_THROW(check_plan(sweep_dir(), planned_), UsageError) << "the plan must precede the results";
  std::ofstream(sweep_dir() / "race.json") << "{}";
  EXPECT_THROW(check_plan(sweep_dir(), planned_), UsageError);
}

TEST_F(RaceOfFiles, AShardPrefersItsOwnArmsAndThenTakesTheOthers) {
  auto race = follower();
  const auto all = names_of(race.agenda({}).needed), second = names_of(race.agenda({2, 2}).needed);
  EXPECT_THAT(second, ::testing::UnorderedElementsAreArray(all));
  const auto is_own = [&](const std::string& name) {
    const auto at = std::ranges::find_if(arms_, [&](const Arm& arm) { return arm.name == name; });
    return (at - arms_.begin()) % 2 == 1;
  };
  EXPECT_TRUE(std::ranges::is_partitioned(second, is_own));
  EXPECT_TRUE(is_own(second.front()));
}

TEST_F(RaceOfFiles, AnArmScoredByAnotherExtractorIsStillNeeded) {
  finish(arms_.front(), "random@2");
  const auto needed = names_of(follower().agenda({}).needed);
  EXPECT_THAT(needed, ::testing::Contains(arms_.front().name));
}

TEST_F(RaceOfFiles, AnArmWhoseMetricsWereTemporarilyUnreadableIsReadAgain) {
  auto race = follower();
  const Arm& arm = arms_.front();
  finish(arm);
  std::ofstream(RunPaths(arm.directory).metrics_file()) << "garbage\n";
  const auto unreadable = race.agenda({});
  EXPECT_THAT(names_of(unreadable.needed), ::testing::Contains(arm.name));
  EXPECT_EQ(unreadable.over, 0u);
  finish(arm);
  const auto readable = race.agenda({});
  EXPECT_THAT(names_of(readable.needed), ::testing::Not(::testing::Contains(arm.name)));
  EXPECT_EQ(readable.over, 1u);
}

TEST(RacePlan, RejectsAnAlphaThatWouldNeedTooManySeeds) {
  Config config;
  config.sweep.design = SweepDesign::race;
  config.sweep.alpha = 1e-12;
  EXPECT_THROW(race_plan(config), UsageError);
}

}  // namespace
}  // namespace slopegan
