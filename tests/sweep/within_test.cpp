#include "sweep/within.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>

#include "expect_error.h"
#include "run/run_directory.h"
#include "support/errors.h"
#include "support/file_lock.h"
#include "support/files.h"
#include "sweep/race.h"
#include "sweep/sweep.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

Config race_in_time() {
  Config config;
  config.sweep.design = SweepDesign::race;
  config.sweep.negative_slope = {0, 0.01, 0.1, 0.2, 0.5};
  return config;
}

/// Costs on a machine that trains 2 arms at a time, each at 500 images per second.
constexpr MeasuredCosts quick{
    .images_per_second = 500, .evaluation_seconds = 5, .samples = 10000, .other_seconds = 3, .jobs = 2};

double planned_seconds(const TimedPlan& plan) { return plan.seconds; }

TEST(PlanWithin, LeavesAFifthOfTheTimeFree) {
  for (const double seconds : {1800.0, 3600.0, 7200.0}) {
    const auto plan = plan_within(race_in_time(), quick, seconds);
    EXPECT_LE(planned_seconds(plan), 0.8 * seconds);
    EXPECT_GT(planned_seconds(plan), 0.75 * seconds);
    EXPECT_GE(plan.config.training.total_images, least_images_within);
    EXPECT_EQ(plan.config.training.total_images % plan.config.training.batch_size, 0);
    EXPECT_EQ(plan.config.metrics.every_images, (plan.config.training.total_images + 1) / 2);
  }
}

TEST(PlanWithin, TrainsNoMoreImagesThanTheConfiguration) {
  const auto plan = plan_within(race_in_time(), quick, 1e6);
  EXPECT_EQ(plan.config.training.total_images, race_in_time().training.total_images);
  EXPECT_EQ(plan.config.metrics.samples, 10000);
  EXPECT_THAT(cuts_of(race_in_time(), plan), IsEmpty());
}

TEST(PlanWithin, ReducesGeneratedImagesThenTheCoveredLooksThenTheSlopes) {
  MeasuredCosts slow = quick;
  slow.evaluation_seconds = 60;
  const auto fewer_samples = plan_within(race_in_time(), slow, 3600);
  EXPECT_LT(fewer_samples.config.metrics.samples, 10000);
  EXPECT_GE(fewer_samples.config.metrics.samples, least_samples_within);
  EXPECT_EQ(fewer_samples.config.sweep.negative_slope.size(), 5u);
  EXPECT_EQ(fewer_samples.covered_looks, 3u);

  std::size_t slopes = 5;
  bool has_time_for_one_look = false;
  for (const double seconds : {900.0, 700.0, 600.0, 500.0, 400.0, 300.0, 250.0}) {
    const auto plan = plan_within(race_in_time(), quick, seconds);
    const auto& kept = plan.config.sweep.negative_slope;
    EXPECT_LE(kept.size(), slopes);
    EXPECT_THAT(kept, Contains(0.2));
    slopes = kept.size();
    has_time_for_one_look = has_time_for_one_look || plan.covered_looks == 1;
  }
  EXPECT_LT(slopes, 5u);
  EXPECT_TRUE(has_time_for_one_look);
}

TEST(PlanWithin, AddsLooksBeyondTheTimeSoThatARaceEndsEarlyOnlyIfEverySlopeIsDecided) {
  for (const double seconds : {3600.0, 700.0, 400.0, 250.0}) {
    const auto plan = plan_within(race_in_time(), quick, seconds);
    EXPECT_EQ(plan.race.looks.size(), 5u);
    EXPECT_LT(plan.covered_looks, 5u);
    const double whole = static_cast<double>(most_arms(plan.race)) / quick.jobs * plan.seconds_per_arm;
    EXPECT_GT(whole, seconds) << "all looks together take longer than the available time";
    EXPECT_EQ(std::ssize(plan.config.sweep.seeds), plan.race.looks.back());
  }
}

TEST(PlanWithin, DropsTheSlopeClosestToAnother) {
  Config config = race_in_time();
  for (double seconds = 1000; config.sweep.negative_slope.size() == 5; seconds -= 20) {
    config = plan_within(race_in_time(), quick, seconds).config;
  }
  EXPECT_THAT(config.sweep.negative_slope, ElementsAre(0, 0.1, 0.2, 0.5));
}

/// Reduces the time until the planned race has at most `count` slopes, and returns these slopes.
std::vector<double> kept_slopes(std::vector<double> slopes, std::size_t count, double control = 0.2) {
  Config config = race_in_time();
  config.sweep.negative_slope = slopes;
  config.sweep.control = control;
  for (double seconds = 3000; slopes.size() > count; seconds *= 0.99) {
    slopes = plan_within(config, quick, seconds).config.sweep.negative_slope;
  }
  return slopes;
}

TEST(PlanWithin, DropsSlopesOfAtLeast1AndThenThoseWithTheClosestSquareRoots) {
  const std::vector<double> all = {0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 1};
  EXPECT_THAT(kept_slopes(all, 7), ElementsAre(0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5));
  EXPECT_THAT(kept_slopes(all, 6), ElementsAre(0, 0.01, 0.05, 0.2, 0.3, 0.5));
  EXPECT_THAT(kept_slopes(all, 5), ElementsAre(0, 0.05, 0.2, 0.3, 0.5));
  EXPECT_THAT(kept_slopes(all, 4), ElementsAre(0, 0.05, 0.2, 0.5));
  EXPECT_THAT(kept_slopes(all, 3), ElementsAre(0, 0.2, 0.5));
  EXPECT_THAT(kept_slopes(all, 2), ElementsAre(0, 0.2));
  EXPECT_THAT(kept_slopes({1, 3, 0.2, 0, 2}, 3), ElementsAre(1, 0.2, 0)) << "the largest slope is dropped first";
  EXPECT_THAT(kept_slopes({1, 0, 0.3, 2}, 2, 1), ElementsAre(1, 0)) << "the control is never dropped";
  EXPECT_THAT(kept_slopes({-0.1, 0.1, 0.2, 0.21}, 3), ElementsAre(-0.1, 0.1, 0.2)) << "the sign matters";
  EXPECT_THAT(kept_slopes({2, 0.2, 3}, 2), ElementsAre(2, 0.2)) << "a race needs another slope";
}

TEST(PlanWithin, SaysHowMuchTimeTheSmallestRaceTakes) {
  try {
    plan_within(race_in_time(), quick, 30);
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("00:30 is left, but the smallest race (slope "));
    EXPECT_THAT(error.what(), HasSubstr("8 arms of 10000 images"));
  }
}

TEST(PlanWithin, SaysHowMuchTimeWasSpentBeforeThePlanAndHowMuchMoreIsNeeded) {
  try {
    plan_within(race_in_time(), quick, 30, 72);
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("00:30 is left after 01:12 of preparing and measuring, but the smallest race"));
    EXPECT_THAT(error.what(), HasSubstr("takes about 02:04 on this machine, which is 01:34 more"));
  }
}

/// A race for which plan_within has made a plan with fewer slopes than the configuration.
class KeptPlan : public ::testing::Test {
 protected:
  KeptPlan() {
    config_.run.output_dir = directory_.path();
    config_.run.name = "race";
    const TimedPlan plan = plan_within(config_, quick, 300);
    write_plan(open_sweep(plan.config), planned_race(plan.config, plan.race, "random@1", "hash"));
  }

  void train_an_arm() const {
    const auto arm = configured_directory(config_.run) / "runs/slope_0.2-seed_0";
    std::filesystem::create_directories(arm);
    std::ofstream(arm / "history.jsonl") << "{}\n";
  }

  /// Changes to values that the plan fixes, each with the part of the error message that describes it.
  static std::vector<std::pair<std::string, std::function<void(SweepConfig&)>>> changes() {
    return {{"sweep.alpha: 0.05 -> 0.1", [](SweepConfig& sweep) { sweep.alpha = 0.1; }},
            {"sweep.control: 0.2 -> 0", [](SweepConfig& sweep) { sweep.control = 0; }},
            {"sweep.equivalence: 0.15 -> 0.3", [](SweepConfig& sweep) { sweep.equivalence = 0.3; }},
            {"sweep.give_up: 1.5 -> 0", [](SweepConfig& sweep) { sweep.give_up = 0; }},
            {"first_seed: 0 -> 5", [](SweepConfig& sweep) { sweep.seeds = {5}; }},
            {"sweep.negative_slope: without 0.5", [](SweepConfig& sweep) { std::erase(sweep.negative_slope, 0.5); }}};
  }

  TemporaryDirectory directory_;
  Config config_ = race_in_time();
};

TEST_F(KeptPlan, UsesTheGivenValuesThatThePlanDoesNotFix) {
  train_an_arm();
  for (const bool stop_running : {false, true}) {
    config_.sweep.stop_running = stop_running;
    config_.sweep.jobs = stop_running ? 3 : 2;
    const auto plan = kept_plan(config_);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->config.sweep.stop_running, stop_running);
    EXPECT_EQ(plan->config.sweep.jobs, config_.sweep.jobs);
    EXPECT_LT(plan->config.sweep.negative_slope.size(), 5u) << "the slopes that were dropped stay dropped";
  }
}

TEST_F(KeptPlan, RefusesValuesThatContradictThePlan) {
  train_an_arm();
  for (const auto& [message, change] : changes()) {
    Config changed = config_;
    change(changed.sweep);
    EXPECT_THAT(message_of<UsageError>([&] { kept_plan(changed); }),
                HasSubstr("contains a race with a different plan (" + message + ")"));
  }
}

TEST_F(KeptPlan, IsReplacedIfNoArmHasBeenTrained) {
  EXPECT_TRUE(kept_plan(config_));
  for (const auto& [message, change] : changes()) {
    Config changed = config_;
    change(changed.sweep);
    EXPECT_FALSE(kept_plan(changed)) << message;
  }
}

TEST(LeftoverMeasurements, AreRemovedUnlessTheirProcessIsAlive) {
  const TemporaryDirectory outputs;
  for (const char* name : {".tmp-within-1-a/runs", ".tmp-within-2-b", ".tmp-within-3-c", ".tmp-other", "within-1"}) {
    std::filesystem::create_directories(outputs / name);
  }
  std::ofstream(outputs / ".tmp-within-2-b/.within.lock") << "4194304 gone 1\n";
  const FileLock alive(outputs / ".tmp-within-3-c/.within.lock", outputs / ".tmp-within-3-c");
  remove_left_measurements(outputs.path());
  std::set<std::string> left;
  for (const auto& entry : entries_of(outputs.path())) left.insert(entry.filename());
  EXPECT_THAT(left, ElementsAre(".tmp-other", ".tmp-within-3-c", "within-1"));
  EXPECT_NO_THROW(remove_left_measurements(outputs / "none"));
}

TEST(PrepareWithin, StopsAtTheDeadlineUnlessEverythingIsPrepared) {
  const CacheDirectory cache;
  const TemporaryDirectory folder;
  for (int i = 0; i < 24; ++i) {
    cv::imwrite(folder / (std::to_string(i) + ".png"), cv::Mat(8, 8, CV_8UC3, cv::Scalar(i, 2 * i, 9)));
  }
  Config config;
  config.data.kind = DatasetKind::image_folder;
  config.data.path = folder.path();
  config.metrics.extractor.choices = {"random"};
  const auto now = std::chrono::steady_clock::now();
  const auto message = message_of<UsageError>([&] { prepare_within(config, now); });
  EXPECT_THAT(message, HasSubstr("--within: the time was up after 00:0"));
  EXPECT_THAT(message, HasSubstr("(stopped after packing 0 of 24 images; the next run packs the rest)"));
  const auto prepared = prepare_data(config);
  EXPECT_THAT(prepared.extractor, StartsWith("random"));
  EXPECT_EQ(prepare_within(config, now).extractor, prepared.extractor);
}

TEST(PlanWithin, KeepsTheLengthOfARunThatIsShorterThanTheMinimum) {
  Config config = race_in_time();
  config.training.total_images = 640;
  EXPECT_EQ(plan_within(config, quick, 600).config.training.total_images, 640);
}

TEST(TypicalArms, AreBetweenTheArmsOfTheFirstLookAndTheMaximum) {
  for (std::size_t slopes = 1; slopes <= 7; ++slopes) {
    std::vector<double> all = {0.2};
    for (std::size_t i = 0; i < slopes; ++i) all.push_back(0.3 + 0.1 * static_cast<double>(i));
    const auto plan = plan_race(0.2, all);
    EXPECT_EQ(typical_arms(plan, 1), first_look_arms(plan));
    EXPECT_GT(typical_arms(plan, 3), first_look_arms(plan));
    EXPECT_LE(typical_arms(plan, 3), most_arms(plan));
  }
}

}  // namespace
}  // namespace slopegan
