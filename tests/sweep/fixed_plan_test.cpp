#include "sweep/fixed_plan.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expect_error.h"
#include "run/run_directory.h"
#include "support/errors.h"
#include "sweep/arms.h"
#include "sweep/sweep.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class PlannedSweep : public ::testing::Test {
 protected:
  PlannedSweep() {
    config_.run.output_dir = directory_.path();
    config_.run.name = "sweep";
    config_.sweep.negative_slope = {0, 0.2};
    config_.sweep.seeds = {0, 1};
    sweep_dir_ = open_sweep(config_);
  }

  void finish(const std::string& arm) const {
    const RunPaths paths(sweep_dir_ / "runs" / arm);
    std::filesystem::create_directories(paths.root());
    for (const auto& file : {paths.history_file(), paths.metrics_file()}) std::ofstream(file) << "{}\n";
    std::ofstream(paths.run_info_file()) << R"({"status": "done"})";
  }

  void start(const std::string& arm, const std::string& status) const {
    const RunPaths paths(sweep_dir_ / "runs" / arm);
    std::filesystem::create_directories(paths.root());
    std::ofstream(paths.run_info_file()) << R"({"status": ")" << status << R"("})";
  }

  /// Returns one score for each arm of config_.
  SweepScores scores() const {
    SweepScores scores;
    scores.rulers.emplace_back();
    for (const auto& arm : make_arms(config_, sweep_dir_)) {
      scores.arms.push_back({arm.negative_slope, arm.seed, ArmOutcome::done, 1.0 + arm.negative_slope, {}});
      scores.rulers[0].fds.push_back(static_cast<double>(arm.seed));
    }
    return scores;
  }

  TemporaryDirectory directory_;
  Config config_;
  std::filesystem::path sweep_dir_;
};

TEST_F(PlannedSweep, KeepsItsPlanOnceAnArmHasBeenEvaluated) {
  const auto first = fixed_plan(config_, "random@1");
  note_plan(sweep_dir_, first);
  EXPECT_EQ(read_fixed_plan(sweep_dir_), first);
  config_.sweep.seeds = {0, 1, 2};
  const auto second = fixed_plan(config_, "random@1");
  note_plan(sweep_dir_, second);
  EXPECT_EQ(read_fixed_plan(sweep_dir_), second) << "there are no results yet";
  finish("slope_0-seed_0");
  note_plan(sweep_dir_, first);
  EXPECT_EQ(read_fixed_plan(sweep_dir_), second);
}

TEST_F(PlannedSweep, RefusesAnotherExtractorOnceAnArmHasBeenEvaluatedOrIsInTraining) {
  EXPECT_NO_THROW(check_planned_extractor(directory_ / "new", "classifier@2"));
  note_plan(sweep_dir_, fixed_plan(config_, "classifier@1"));
  EXPECT_NO_THROW(check_planned_extractor(sweep_dir_, "classifier@2")) << "there are no results yet";
  const auto expect_refusal = [&] {
    EXPECT_NO_THROW(check_planned_extractor(sweep_dir_, "classifier@1"));
    EXPECT_NO_THROW(check_planned_extractor(sweep_dir_, "")) << "the sweep has no metrics";
    EXPECT_THAT(message_of<UsageError>([&] { check_planned_extractor(sweep_dir_, "classifier@2"); }),
                HasSubstr("different feature extractor (classifier@1 -> classifier@2)"));
  };
  {
    const auto run = RunDirectory::create(sweep_dir_ / "runs" / "slope_0-seed_0");
    expect_refusal();
  }
  EXPECT_NO_THROW(check_planned_extractor(sweep_dir_, "classifier@2")) << "the run ended without a result";
  finish("slope_0-seed_0");
  expect_refusal();
  std::filesystem::remove(sweep_dir_ / "plan.json");
  EXPECT_NO_THROW(check_planned_extractor(sweep_dir_, "classifier@2")) << "an earlier version started the sweep";
}

TEST_F(PlannedSweep, HasNoPlanIfAnEarlierVersionStartedIt) {
  finish("slope_0-seed_0");
  note_plan(sweep_dir_, fixed_plan(config_, "random@1"));
  EXPECT_FALSE(read_fixed_plan(sweep_dir_));
  std::ofstream(sweep_dir_ / "plan.json") << "garbage";
  EXPECT_FALSE(read_fixed_plan(sweep_dir_));
}

TEST_F(PlannedSweep, UsesOnlyThePlannedSeedsForItsVerdicts) {
  const auto plan = fixed_plan(config_, "random@1");
  EXPECT_THAT(planned_scores(scores(), plan, config_).notes, IsEmpty());
  EXPECT_EQ(promise_text(scores(), plan, config_), "");
  config_.sweep.seeds = {1, 0, 5, 6};
  const auto planned = planned_scores(scores(), plan, config_);
  EXPECT_THAT(planned.arms, SizeIs(4));
  for (const auto& arm : planned.arms) EXPECT_LE(arm.seed, 1);
  EXPECT_THAT(planned.rulers[0].fds, ElementsAre(1, 1, 0, 0));
  EXPECT_THAT(planned.notes,
              ElementsAre(HasSubstr("first results: 5, 6. They are in the pictures and tables but do not "
                                    "affect the verdicts. Mean FD over all seeds: 1.00 at slope 0, "
                                    "1.20 at slope 0.2.")));
  EXPECT_THAT(promise_text(scores(), plan, config_),
              HasSubstr("applies to the 2 seeds planned before the first results (0, 1)"));
  EXPECT_THAT(seeds_that_count(config_, plan), ElementsAre(1, 0));
  EXPECT_THAT(seeds_that_count(config_, std::nullopt), ElementsAre(1, 0, 5, 6));
}

TEST_F(PlannedSweep, NotesPlannedSeedsThatWereLeftOut) {
  config_.sweep.seeds = {0, 1, 2, 3};
  const auto plan = fixed_plan(config_, "random@1");
  config_.sweep.seeds = {0, 1};
  const auto planned = planned_scores(scores(), plan, config_);
  EXPECT_THAT(planned.arms, SizeIs(4));
  EXPECT_THAT(planned.notes, ElementsAre(HasSubstr("Planned seeds left out after the first results: 2, 3. The "
                                                   "error rate holds only if all planned seeds are used")));
  config_.sweep.seeds = {0, 1, 7};
  EXPECT_THAT(planned_scores(scores(), plan, config_).notes,
              ElementsAre(HasSubstr("first results: 7."), HasSubstr("left out after the first results: 2, 3.")));
  EXPECT_EQ(promise_text(scores(), plan, config_), "");
}

TEST_F(PlannedSweep, PromisesNothingIfNoPlannedSeedHasAResult) {
  const auto plan = fixed_plan(config_, "random@1");
  config_.sweep.seeds = {0, 1, 5, 6};
  auto all = scores();
  for (auto& arm : all.arms) {
    if (arm.seed < 2) arm.outcome = ArmOutcome::pending;
  }
  const auto planned = planned_scores(all, plan, config_);
  EXPECT_THAT(planned.arms, SizeIs(8));
  EXPECT_THAT(planned.notes,
              ElementsAre(HasSubstr("None of the planned seeds (0, 1) has a comparable result, so "
                                    "the verdicts depend on seeds that were added after the plan was made (5, 6), and "
                                    "the error rate does not hold")));
  EXPECT_EQ(promise_text(all, plan, config_), "");
}

TEST_F(PlannedSweep, DescribesTheFirstConditionOfACrossedSweep) {
  const auto plan = fixed_plan(config_, "random@1");
  config_.sweep.seeds = {0, 1, 2};
  auto crossed = scores();
  crossed.rulers.clear();
  crossed.conditions.resize(2);
  const auto first = crossed.arms;
  for (ArmScore arm : first) {
    arm.condition = 1;
    arm.fd = 100;
    crossed.arms.push_back(arm);
  }
  EXPECT_THAT(planned_scores(crossed, plan, config_).notes,
              ElementsAre(HasSubstr("Mean FD over all seeds, under the first condition: 1.00 at slope 0, 1.20 at slope "
                                    "0.2.")));
}

TEST_F(PlannedSweep, NotesOtherChangesAfterTheFirstResults) {
  const auto plan = fixed_plan(config_, "random@1");
  config_.sweep.negative_slope = {0, 0.2, 0.3};
  config_.sweep.control = 0;
  config_.training.total_images *= 2;
  config_.sweep.alpha = 0.2;
  EXPECT_THAT(planned_scores(scores(), plan, config_).notes,
              ElementsAre(HasSubstr("Slopes added after the first results: 0.3. The error rate holds only for the "
                                    "verdicts on the planned slopes (0, 0.2)."),
                          HasSubstr("360000 images per arm"),
                          HasSubstr("The planned control was 0.2; it was changed to 0 after the first results, so the "
                                    "error rate does not hold for the verdicts."),
                          HasSubstr("The planned error rate (sweep.alpha) was 0.05; it was changed to 0.2")));
  auto with_metric = scores();
  with_metric.metric.emplace().images = plan.images;
  EXPECT_THAT(
      planned_scores(with_metric, plan, config_).notes.at(1),
      HasSubstr("changed to 360000 after the first results, but the results are for the 180000 images per arm"));
  config_.sweep.negative_slope = {0.2};
  EXPECT_THAT(planned_scores(scores(), plan, config_).notes.front(),
              HasSubstr("Slopes left out after the first results: 0. The error rate holds only if all planned slopes "
                        "are used (0, 0.2)."));
}

TEST_F(PlannedSweep, NotesConditionsThatWereAddedAfterTheFirstResults) {
  config_.sweep.cross.list = {{}, {{"generator.norm", "none"}}};
  note_plan(sweep_dir_, fixed_plan(config_, "random@1"));
  const auto plan = read_fixed_plan(sweep_dir_);
  ASSERT_TRUE(plan);
  EXPECT_EQ(*plan, fixed_plan(config_, "random@1"));
  EXPECT_THAT(planned_scores(scores(), *plan, config_).notes, IsEmpty());
  config_.sweep.cross.list.push_back({{"loss.kind", "hinge"}, {"loss.r1", "0"}});
  config_.sweep.cross.list.push_back({{"generator.norm", "self_modulated"}});
  EXPECT_THAT(planned_scores(scores(), *plan, config_).notes,
              ElementsAre("Conditions added after the first results: loss.kind=hinge, loss.r1=0; "
                          "generator.norm=self_modulated. The error rate of the tests for dependence on the condition "
                          "holds only for the planned conditions."));
}

TEST_F(PlannedSweep, ReadsPlansOfEarlierVersionsWithoutAnErrorRateAndConditions) {
  std::ofstream(sweep_dir_ / "plan.json")
      << R"({"slopes": [0, 0.2], "control": 0.2, "seeds": [0, 1], "images": 180000, "extractor": "random@1"})";
  const auto plan = read_fixed_plan(sweep_dir_);
  ASSERT_TRUE(plan);
  EXPECT_FALSE(plan->alpha);
  config_.sweep.alpha = 0.2;
  config_.sweep.cross.list = {{}, {{"generator.norm", "none"}}};
  EXPECT_THAT(planned_scores(scores(), *plan, config_).notes, IsEmpty());
}

TEST_F(PlannedSweep, KeepsEarlierResultsThatTheCommandDoesNotName) {
  finish("slope_0-seed_0");
  config_.sweep.seeds = {1};
  EXPECT_THAT(with_earlier_arms(config_, sweep_dir_).sweep.seeds, ElementsAre(1, 0));
  config_.sweep.negative_slope = {0.3};
  EXPECT_THAT(with_earlier_arms(config_, sweep_dir_).sweep.negative_slope, ElementsAre(0.3, 0));
  EXPECT_THAT(with_earlier_arms(config_, directory_ / "new").sweep.seeds, ElementsAre(1));
}

TEST_F(PlannedSweep, KeepsArmsThatHaveStartedButNotEnded) {
  config_.sweep.seeds = {0, 1, 2, 3, 4};
  open_sweep(config_);
  start("slope_0-seed_1", "running");
  start("slope_0.2-seed_2", "stopped");
  start("slope_0.2-seed_3", "failed");
  config_.sweep.seeds = {9};
  EXPECT_THAT(with_earlier_arms(config_, sweep_dir_).sweep.seeds, ElementsAre(9));  // no arm has been trained at all
  std::ofstream(RunPaths(sweep_dir_ / "runs" / "slope_0.2-seed_2").history_file()) << "{}\n";
  EXPECT_THAT(with_earlier_arms(config_, sweep_dir_).sweep.seeds, ElementsAre(9, 1, 2, 3));
}

TEST_F(PlannedSweep, KeepsAllArmsWhileAnotherProcessTrainsThem) {
  const auto run = RunDirectory::create(sweep_dir_ / "runs" / "slope_0-seed_0");
  config_.sweep.seeds = {9};
  EXPECT_THAT(with_earlier_arms(config_, sweep_dir_).sweep.seeds, ElementsAre(9, 0, 1));
}

}  // namespace
}  // namespace slopegan
