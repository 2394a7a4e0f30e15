#include "sweep/within.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"

namespace slopegan {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Config race_in_time() {
  Config config;
  config.sweep.design = SweepDesign::race;
  config.sweep.negative_slope = {0, 0.01, 0.1, 0.2, 0.5};
  return config;
}

/// 500 images per second in each of 2 arms.
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

TEST(PlanWithin, UsesFewerGeneratedImagesThenOneLookThenFewerSlopes) {
  MeasuredCosts slow = quick;
  slow.evaluation_seconds = 60;
  const auto fewer_samples = plan_within(race_in_time(), slow, 3600);
  EXPECT_LT(fewer_samples.config.metrics.samples, 10000);
  EXPECT_GE(fewer_samples.config.metrics.samples, least_samples_within);
  EXPECT_EQ(fewer_samples.config.sweep.negative_slope.size(), 5u);
  EXPECT_EQ(fewer_samples.race.looks.size(), 3u);

  std::size_t slopes = 5;
  bool has_single_look = false;
  for (const double seconds : {900.0, 700.0, 600.0, 500.0, 400.0, 300.0, 250.0}) {
    const auto plan = plan_within(race_in_time(), quick, seconds);
    const auto& kept = plan.config.sweep.negative_slope;
    EXPECT_LE(kept.size(), slopes);
    EXPECT_THAT(kept, Contains(0.2));
    slopes = kept.size();
    has_single_look = has_single_look || plan.race.looks.size() == 1;
  }
  EXPECT_LT(slopes, 5u);
  EXPECT_TRUE(has_single_look);
}

TEST(PlanWithin, DropsTheSlopesThatAreClosestToOthers) {
  Config config = race_in_time();
  for (double seconds = 1000; config.sweep.negative_slope.size() == 5; seconds -= 20) {
    config = plan_within(race_in_time(), quick, seconds).config;
  }
  EXPECT_THAT(config.sweep.negative_slope, ElementsAre(0, 0.1, 0.2, 0.5));
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

TEST(PlanWithin, ASmallRunIsItsOwnSmallestNumberOfImages) {
  Config config = race_in_time();
  config.training.total_images = 640;
  EXPECT_EQ(plan_within(config, quick, 600).config.training.total_images, 640);
}

TEST(TypicalArms, LieBetweenTheFewestAndTheMost) {
  for (std::size_t slopes = 1; slopes <= 7; ++slopes) {
    std::vector<double> all = {0.2};
    for (std::size_t i = 0; i < slopes; ++i) all.push_back(0.3 + 0.1 * static_cast<double>(i));
    const auto plan = plan_race(0.2, all);
    EXPECT_GE(typical_arms(plan), first_look_arms(plan));
    EXPECT_LE(typical_arms(plan), most_arms(plan));
  }
}

}  // namespace
}  // namespace slopegan
