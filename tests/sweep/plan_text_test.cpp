#include "sweep/plan_text.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "run/records.h"
#include "run/run_directory.h"
#include "run/run_info.h"
#include "support/files.h"
#include "sweep/race.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string plan_of_a_race(double give_up, const ArmCosts& costs) {
  Config config;
  config.sweep.design = SweepDesign::race;
  config.sweep.negative_slope = {0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 1};
  config.sweep.give_up = give_up;
  const RacePlan plan = race_plan(config);
  config = race_config(config, plan);
  return race_plan_text(config, planned_race(config, plan, {}, {}), costs);
}

TEST(RacePlanText, NamesTheSmallestNumberOfArmsThatTheRulesAllow) {
  const auto text = plan_of_a_race(1.5, {});
  EXPECT_THAT(text, HasSubstr(" expected, 80 at most; each with 180000 images\n"));
  EXPECT_THAT(text, HasSubstr("48 if the first look decides every slope, 16 if the race gives up on every slope\n"));
  EXPECT_THAT(text, Not(HasSubstr("at least,")));
  EXPECT_THAT(plan_of_a_race(0, {}), HasSubstr("48 if the first look decides every slope\n"));
}

TEST(RacePlanText, SaysThatTheIntervalsHaveASeparateErrorRate) {
  EXPECT_THAT(plan_of_a_race(1.5, {}), HasSubstr("5 % for better and worse together, and a separate 5 % for the "
                                                 "intervals, on which equivalence rests\n"));
}

TEST(RacePlanText, SaysHowManyArmsOfTheWholeRaceHaveEnded) {
  ArmCosts costs;
  EXPECT_THAT(plan_of_a_race(1.5, costs), HasSubstr("unknown until the first arm ends; --within TIME measures it"));
  costs.seconds = 60;
  costs.jobs = 2;
  EXPECT_THAT(plan_of_a_race(1.5, costs), HasSubstr(" with 2 arms at a time\n"));
  costs.ended = 9;
  EXPECT_THAT(plan_of_a_race(1.5, costs), HasSubstr(" at a time, including the 9 arms that have ended\n"));
}

TEST(FixedPlanText, DoesNotSuggestATimeLimitWhichWouldMakeTheSweepARace) {
  Config config;
  config.sweep.seeds = {0};
  const auto text = fixed_plan_text(config, make_arms(config, "sweep"), 0, {}, {0}, config.sweep.negative_slope);
  EXPECT_THAT(text, HasSubstr("time         unknown until the first arm ends\n"));
}

/// A sweep with one slope. The tests write the records of its arms, which were trained to the end.
class KnownCosts : public ::testing::Test {
 protected:
  KnownCosts() {
    config_.sweep.negative_slope = {0.2};
    config_.sweep.seeds = {0, 1};
    config_.training.total_images = 3000;
    arms_ = make_arms(config_, directory_.path());
  }

  /// Writes a history with one line per 1000 images, a metrics record with the duration of an evaluation, and run.json.
  void write_arm(std::size_t arm, const std::vector<double>& seconds, double evaluation, const std::string& updated) {
    const RunPaths paths(arms_[arm].directory);
    make_directories(paths.root());
    std::ofstream history(paths.history_file());
    HistoryRecord line;
    for (const double value : seconds) {
      line.images += 1000;
      line.seconds = value;
      history << history_line(line) << "\n";
    }
    MetricsRecord metrics;
    metrics.images = line.images;
    metrics.seconds = evaluation;
    std::ofstream(paths.metrics_file()) << metrics_line(metrics) << "\n";
    RunInfo info;
    info.status = RunStatus::done;
    info.images = line.images;
    info.started = "2026-01-31T23:59:00Z";
    info.updated = updated;
    write_run_info(paths.run_info_file(), info);
  }

  TemporaryDirectory directory_;
  Config config_;
  std::vector<Arm> arms_;
};

TEST_F(KnownCosts, IncludeWhatFollowsTheLastLineOfTheHistory) {
  write_arm(0, {30, 60, 90}, 20, "2026-02-01T00:01:00Z");
  const auto costs = known_costs(config_, arms_);
  EXPECT_EQ(costs.seconds, 120);
  EXPECT_EQ(costs.ended, 1);
}

TEST_F(KnownCosts, AreMeansOverTheArmsThatHaveEnded) {
  write_arm(0, {30, 60, 90}, 20, "2026-02-01T00:01:00Z");
  write_arm(1, {30, 60, 100}, 20, "2026-02-01T00:01:20Z");
  EXPECT_EQ(known_costs(config_, arms_).seconds, 130);
}

TEST_F(KnownCosts, IncludeAllStartsOfAnArmButNotTheTimeBetweenThem) {
  write_arm(0, {40, 80, 10}, 20, "2026-02-03T08:00:00Z");
  EXPECT_EQ(known_costs(config_, arms_).seconds, 110);
}

TEST_F(KnownCosts, AreNotNegativeIfTheClockWasSetBack) {
  write_arm(0, {30, 60, 90}, 20, "2026-01-31T23:00:00Z");
  EXPECT_EQ(known_costs(config_, arms_).seconds, 110);
}

TEST_F(KnownCosts, UseTheHistoryAloneIfRunJsonHasNoTimes) {
  write_arm(0, {30, 60, 90}, 20, "");
  EXPECT_EQ(known_costs(config_, arms_).seconds, 110);
  std::ofstream(RunPaths(arms_[0].directory).run_info_file()) << R"({"status": "done"})";
  EXPECT_EQ(known_costs(config_, arms_).seconds, 110);
}

TEST_F(KnownCosts, AreUnknownIfNoArmHasBeenTrainedToTheEnd) {
  write_arm(0, {30, 60}, 0, "2026-02-01T00:01:00Z");
  EXPECT_EQ(known_costs(config_, arms_).seconds, std::nullopt);
  EXPECT_EQ(known_costs(config_, arms_).ended, 0);
}

TEST(FixedPlanText, CountsOnlyTheSeedsThatCanAffectTheVerdicts) {
  Config config;
  config.sweep.negative_slope = {0, 0.2};
  config.sweep.seeds = {0, 1, 2, 3, 4, 5, 6};
  const auto arms = make_arms(config, "sweep");
  const auto all = fixed_plan_text(config, arms, 0, {}, config.sweep.seeds, {0, 0.2});
  EXPECT_THAT(all, HasSubstr("so differences can be significant at 0.05\n"));
  EXPECT_THAT(all, Not(HasSubstr("not counted")));
  const auto added = fixed_plan_text(config, arms, 0, {}, {0, 1, 2, 3, 4}, {0, 0.2});
  EXPECT_THAT(
      added,
      HasSubstr("so nothing can be significant at 0.05; significance takes at least 6 seeds planned before the first "
                "result\n"));
  EXPECT_THAT(added, HasSubstr("not counted  seeds 5, 6, added after the first results; only 5 planned seeds count\n"));
}

TEST(FixedPlanText, CountsTheSlopesOfEarlierCommands) {
  Config config;
  config.sweep.negative_slope = {0, 0.2};
  config.sweep.seeds = {0, 1, 2, 3, 4, 5};
  config.sweep.cross.list = {{}, {{"loss.r1", "1"}}};
  const auto plan_with = [&](const std::vector<double>& compared) {
    return fixed_plan_text(config, make_arms(config, "sweep"), 0, {}, config.sweep.seeds, compared);
  };
  const auto alone = plan_with({0, 0.2});
  EXPECT_THAT(alone, HasSubstr("so differences can be significant at 0.05\n"));
  EXPECT_THAT(alone, HasSubstr("it takes 6 seeds to show that a slope's effect depends"));
  EXPECT_THAT(alone, Not(HasSubstr("compared")));
  const auto kept = plan_with({0, 0.2, 0.5, 1});
  EXPECT_THAT(kept, HasSubstr("also slopes 0.5, 1, whose arms were started by earlier commands\n"));
  EXPECT_THAT(kept, HasSubstr("so nothing can be significant at 0.05; significance takes at least 7 seeds\n"));
  EXPECT_THAT(kept, HasSubstr("it takes 7 seeds to show that a slope's effect depends"));
}

TEST(FixedPlanText, SaysIfNoNumberOfSeedsIsEnough) {
  Config config;
  config.sweep.negative_slope = {0, 0.2};
  config.sweep.seeds = {0};
  config.sweep.cross.list = {{}, {{"loss.r1", "1"}}};
  config.sweep.alpha = 1e-7;
  const auto text = fixed_plan_text(config, make_arms(config, "sweep"), 0, {}, {0}, {0, 0.2});
  EXPECT_THAT(text, HasSubstr("nothing can be significant at 1e-07; no number of seeds is enough\n"));
  EXPECT_THAT(text, HasSubstr("no number of seeds is enough to show that a slope's effect depends"));
}

TEST(RacePlanText, SaysWhichLooksTheTimeCovers) {
  Config config;
  config.sweep.negative_slope = {0, 0.1, 0.2};
  const RacePlan plan = race_plan(config, 5);
  config = race_config(config, plan);
  const auto planned = planned_race(config, plan, {}, {});
  ArmCosts costs;
  costs.seconds = 60;
  const auto text = race_plan_text(config, planned, costs, 1);
  EXPECT_THAT(text, HasSubstr("arms         about 15 expected up to look 1, 39 at most"));
  EXPECT_THAT(text, HasSubstr("; further looks take place if time is left\n"));
  EXPECT_THAT(text,
              HasSubstr("after 5, 7, 9, 11, 13 arms of each slope, at alpha 0.03, 0.01, 0.005, 0.0025, 0.0025\n"));
  EXPECT_THAT(race_plan_text(config, planned, costs), Not(HasSubstr("if time is left")));
}

}  // namespace
}  // namespace slopegan
