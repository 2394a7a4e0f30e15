#include <cmath>
#include <map>
#include <numeric>
#include <stdexcept>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "statistics/permutation.h"
#include "statistics/race.h"
#include "statistics_numbers.h"
#include "support/random.h"

namespace slopegan {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Pointwise;

/// A plan for these slopes with the control 0.2.
RacePlan plan_of(std::vector<double> slopes, RaceRules rules = {}) { return plan_race(0.2, std::move(slopes), rules); }

TEST(RacePlan, HasTheSmallestFirstLookThatCanBeSignificant) {
  const std::map<std::int64_t, std::vector<std::int64_t>> looks = {{1, {4, 6, 8}},  {2, {5, 7, 9}},  {3, {5, 7, 9}},
                                                                   {4, {6, 8, 10}}, {7, {6, 8, 10}}, {13, {6, 8, 10}},
                                                                   {14, {7, 9, 11}}};
  for (const auto& [number, expected] : looks) {
    std::vector<double> slopes(static_cast<std::size_t>(number));
    std::iota(slopes.begin(), slopes.end(), 1.0);
    const auto plan = plan_of(slopes);
    EXPECT_EQ(plan.looks, expected) << number;
    EXPECT_LE(smallest_permutation_p(plan.looks[0]), 0.03 / static_cast<double>(number));
    EXPECT_GT(smallest_permutation_p(plan.looks[0] - 1), 0.03 / static_cast<double>(number));
    EXPECT_EQ(first_look_arms(plan), (number + 1) * expected[0]);
    EXPECT_EQ(most_arms(plan), (number + 1) * expected[2]);
  }
}

TEST(RacePlan, SpendsAllOfAlphaOverTheLooks) {
  EXPECT_THAT(plan_of({0}).alphas, Pointwise(DoubleNear(1e-15), {0.03, 0.01, 0.01}));
  const auto strict = plan_of({0}, {.alpha = 0.01});
  EXPECT_THAT(strict.alphas, Pointwise(DoubleNear(1e-15), {0.006, 0.002, 0.002}));
  EXPECT_EQ(strict.looks[0], 6);  // 2/252 > 0.006 >= 2/924
  const auto longer = plan_of({0}, {.looks = 5});
  EXPECT_THAT(longer.alphas, Pointwise(DoubleNear(1e-15), {0.03, 0.01, 0.005, 0.0025, 0.0025}));
  EXPECT_THAT(longer.looks, ElementsAre(4, 6, 8, 10, 12));
}

TEST(RacePlan, HasFewerLooksIfTheGroupsWouldBeTooLarge) {
  std::vector<double> slopes(14);
  std::iota(slopes.begin(), slopes.end(), 1.0);
  const auto plan = plan_of(slopes, {.looks = 5});
  EXPECT_THAT(plan.looks, ElementsAre(7, 9, 11, 13));
  EXPECT_THAT(plan.alphas, Pointwise(DoubleNear(1e-15), {0.03, 0.01, 0.005, 0.005}));
}

TEST(RacePlan, SortsTheSlopesAndOmitsTheControl) {
  EXPECT_THAT(plan_of({1, 0, 0.2, 1}).slopes, ElementsAre(0, 1));
  EXPECT_THROW(plan_of({0.2}), std::invalid_argument);
  EXPECT_THROW(plan_of({}), std::invalid_argument);
  EXPECT_THROW(plan_of({0}, {.alpha = 1e-9}), std::invalid_argument);
}

TEST(RacePlan, OrdersTheArmsOfTheFirstLookByRepeatWithTheControlFirst) {
  const auto plan = plan_of({0, 1});
  const auto state = follow_race(plan, {});
  EXPECT_FALSE(state.is_over);
  EXPECT_TRUE(state.looks.empty());
  ASSERT_EQ(state.needed.size(), 15u);
  EXPECT_EQ(state.needed[0], (RaceArmId{0.2, 0}));
  EXPECT_EQ(state.needed[1], (RaceArmId{0, 0}));
  EXPECT_EQ(state.needed[2], (RaceArmId{1, 0}));
  EXPECT_EQ(state.needed[3], (RaceArmId{0.2, 1}));
  EXPECT_EQ(state.needed.back(), (RaceArmId{1, 4}));
}

/// The number of arms that a race trains, one after another, if the FD of the control is about 1 and that of every
/// other slope is about `fd`.
std::int64_t trained_arms(const RacePlan& plan, double fd) {
  std::vector<RaceArm> arms;
  for (auto state = follow_race(plan, arms); !state.is_over; state = follow_race(plan, arms)) {
    const auto [slope, repeat] = state.needed.front();
    const double value = (slope == plan.control ? 1 : fd) + 1e-6 * static_cast<double>(repeat);
    arms.push_back({slope, repeat, ArmOutcome::done, value, value});
  }
  return std::ssize(arms);
}

TEST(RacePlan, NeedsTheFewestArmsIfTheRaceGivesUpOnEverySlope) {
  for (std::size_t slopes = 1; slopes <= 7; ++slopes) {
    std::vector<double> all(slopes);
    std::iota(all.begin(), all.end(), 1.0);
    const auto giving_up = plan_of(all), patient = plan_of(all, {.give_up = 0});
    EXPECT_EQ(fewest_arms(giving_up), 2 * (std::ssize(all) + 1));
    EXPECT_EQ(fewest_arms(giving_up), trained_arms(giving_up, 3));
    EXPECT_EQ(fewest_arms(patient), first_look_arms(patient));
    EXPECT_EQ(fewest_arms(patient), trained_arms(patient, 3));
    EXPECT_EQ(first_look_arms(giving_up), trained_arms(giving_up, 0.5));
  }
}

TEST(RacePlan, MayNeedArmsOfTheControlAndOfUndecidedSlopesUntilTheRaceIsOver) {
  const auto plan = plan_of({0, 1});
  auto state = follow_race(plan, {});
  for (const double slope : {0.0, 0.2, 1.0}) EXPECT_TRUE(may_need_arms(plan, state, slope)) << slope;
  EXPECT_FALSE(may_need_arms(plan, state, 0.5));
  state.slopes[1].decision = Verdict::given_up;
  EXPECT_TRUE(may_need_arms(plan, state, 0));
  EXPECT_TRUE(may_need_arms(plan, state, 0.2));
  EXPECT_FALSE(may_need_arms(plan, state, 1));
  state.is_over = true;
  for (const double slope : {0.0, 0.2, 1.0}) EXPECT_FALSE(may_need_arms(plan, state, slope)) << slope;
}

TEST(RacePlan, PredictsTheNumberOfArms) {
  const auto plan = plan_of({0, 0.1, 0.5});
  EXPECT_NEAR(expected_arms(plan, 0.1, 3), static_cast<double>(first_look_arms(plan)), 1e-9);
  const double undetectable = expected_arms(plan, 0.3, 1);
  EXPECT_GT(undetectable, 0.9 * static_cast<double>(most_arms(plan)));
  EXPECT_LE(undetectable, static_cast<double>(most_arms(plan)));
  const double in_between = expected_arms(plan, 0.1, 1.2);
  EXPECT_GT(in_between, static_cast<double>(first_look_arms(plan)));
  EXPECT_LT(in_between, undetectable);
}

TEST(RacePlan, PredictsTheDifferenceThatItDetectsInFourOfFiveRaces) {
  auto plan = plan_of({0, 0.1, 0.5, 1}, {.equivalence = 1e-9, .give_up = 0});
  const double ratio = smallest_detectable_ratio(plan, 0.1);
  EXPECT_GT(ratio, 1.05);
  EXPECT_LT(ratio, 1.4);
  EXPECT_NEAR(std::log(smallest_detectable_ratio(plan, 0.2)), 2 * std::log(ratio), 1e-9);
  constexpr int races = 300;
  int detected = 0;
  for (std::uint64_t race = 0; race < races; ++race) {
    RandomStream stream(19, "race with an effect", race);
    std::vector<RaceArm> arms;
    std::vector<float> normal(5);
    for (std::int64_t repeat = 0; repeat < plan.looks.back(); ++repeat) {
      stream.fill_normal(normal);
      for (std::size_t i = 0; i < 5; ++i) {
        const double fd = std::exp(0.1 * static_cast<double>(normal[i])) * (i == 1 ? ratio : 1);
        arms.push_back({i == 0 ? plan.control : plan.slopes[i - 1], repeat, ArmOutcome::done, fd, {}});
      }
    }
    detected += follow_race(plan, arms).slopes[0].decision == Verdict::worse;
  }
  EXPECT_NEAR(detected, 0.8 * races, testing::hits_tolerance(races, 0.8) + 0.02 * races);
}

}  // namespace
}  // namespace slopegan
