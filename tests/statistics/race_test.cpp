#include "statistics/race.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "statistics/permutation.h"
#include "statistics_numbers.h"
#include "support/random.h"

namespace slopegan {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using testing::infinite;
using ::testing::Pointwise;

/// A plan for these slopes with the control 0.2.
RacePlan plan_for(std::vector<double> slopes, RaceRules rules = {}) { return plan_race(0.2, std::move(slopes), rules); }

/// Finished arms of a slope. Their log FDs are `level` plus random noise; the interim FD of an arm equals its final FD.
std::vector<RaceArm> finished_arms(double slope, double level, std::int64_t count, double noise = 0.1) {
  std::vector<RaceArm> arms;
  for (std::int64_t repeat = 0; repeat < count; ++repeat) {
    std::vector<float> normal(1);
    RandomStream(17, "race arm", static_cast<std::uint64_t>(repeat) + static_cast<std::uint64_t>(1000 * slope) * 100)
        .fill_normal(normal);
    const double fd = std::exp(level + noise * static_cast<double>(normal[0]));
    arms.push_back({slope, repeat, ArmOutcome::done, fd, fd});
  }
  return arms;
}

std::vector<RaceArm> joined(const std::vector<std::vector<RaceArm>>& lists) {
  std::vector<RaceArm> arms;
  for (const auto& list : lists) arms.insert(arms.end(), list.begin(), list.end());
  return arms;
}

std::vector<Verdict> decisions(const RaceState& state) {
  std::vector<Verdict> found;
  for (const auto& slope : state.slopes) found.push_back(slope.decision);
  return found;
}

TEST(Race, MatchesSciPyAndStatsmodelsAtTheFirstLook) {
  const auto golden = testing::golden_statistics("first_look");
  const auto plan = plan_for({0.3, 0.4, 0.5}, {.give_up = 0});
  ASSERT_EQ(plan.alphas[0], golden.at("alpha").get<double>());
  std::vector<RaceArm> arms;
  for (std::size_t i = 0; i < 4; ++i) {
    const double slope = i == 0 ? plan.control : plan.slopes[i - 1];
    const auto fds = golden.at("fds").at(i).get<std::vector<double>>();
    for (std::size_t repeat = 0; repeat < fds.size(); ++repeat) {
      arms.push_back({slope, static_cast<std::int64_t>(repeat), ArmOutcome::done, fds[repeat], {}});
    }
  }
  const auto state = follow_race(plan, arms);
  ASSERT_EQ(state.looks.size(), 1u);
  const auto& comparisons = state.looks[0].comparisons;
  EXPECT_EQ(state.looks[0].family, 3);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(comparisons[i].p, golden.at("p").at(i).get<double>(), 1e-12);
    EXPECT_NEAR(comparisons[i].p_holm, golden.at("holm").at(i).get<double>(), 1e-12);
    EXPECT_NEAR(comparisons[i].ratio, golden.at("ratio").at(i).get<double>(), 1e-9);
    EXPECT_NEAR(comparisons[i].ratio_interval.low, golden.at("limits").at(i).at(0).get<double>(), 1e-9);
    EXPECT_NEAR(comparisons[i].ratio_interval.high, golden.at("limits").at(i).at(1).get<double>(), 1e-9);
  }
  EXPECT_THAT(decisions(state), ElementsAre(Verdict::worse, Verdict::undecided, Verdict::undecided));
  // The decided slope needs no more arms, but the control still does.
  EXPECT_THAT(state.needed, ElementsAre(RaceArmId{0.2, 5}, RaceArmId{0.4, 5}, RaceArmId{0.5, 5}, RaceArmId{0.2, 6},
                                        RaceArmId{0.4, 6}, RaceArmId{0.5, 6}));
}

TEST(Race, MakesNoDecisionAtAnIncompleteLook) {
  const auto plan = plan_for({0, 1}, {.give_up = 0});
  auto arms = joined({finished_arms(0.2, 3, 5), finished_arms(0, 5, 5), finished_arms(1, 6, 5)});
  for (const auto outcome : {ArmOutcome::error, ArmOutcome::pending}) {
    arms[7].outcome = outcome;  // slope 0, repeat 2
    const auto state = follow_race(plan, arms);
    EXPECT_TRUE(state.looks.empty());
    EXPECT_THAT(state.needed, ElementsAre(RaceArmId{0, 2}));
    EXPECT_THAT(decisions(state), ElementsAre(Verdict::undecided, Verdict::undecided));
  }
  arms[7].outcome = ArmOutcome::done;
  EXPECT_TRUE(follow_race(plan, arms).is_over);
}

TEST(Race, EndsWhenEverySlopeIsDecided) {
  const auto plan = plan_for({0, 1}, {.give_up = 0});
  const auto arms = joined({finished_arms(0.2, 3, 5), finished_arms(0, 2, 5), finished_arms(1, 4, 5)});
  const auto state = follow_race(plan, arms);
  EXPECT_TRUE(state.is_over);
  EXPECT_TRUE(state.needed.empty());
  EXPECT_EQ(state.looks.size(), 1u);
  EXPECT_THAT(decisions(state), ElementsAre(Verdict::better, Verdict::worse));
  EXPECT_EQ(state.slopes[0].look, 1);
  EXPECT_LT(state.slopes[0].comparison->ratio_interval.high, 1);
  EXPECT_GT(state.slopes[1].comparison->ratio_interval.low, 1);
}

TEST(Race, CallsASlopeEquivalentIfItsIntervalIsNarrowEnough) {
  const auto plan = plan_for({0}, {.give_up = 0});
  const auto arms = joined({finished_arms(0.2, 3, 8, 0.02), finished_arms(0, 3, 8, 0.02)});
  const auto state = follow_race(plan, arms);
  EXPECT_THAT(decisions(state), ElementsAre(Verdict::equivalent));
  EXPECT_TRUE(state.is_over);
  EXPECT_EQ(state.looks.size(), 1u);
  const auto& limits = state.slopes[0].comparison->ratio_interval;
  EXPECT_GE(limits.low, 0.85);
  EXPECT_LE(limits.high, 1.15);
  auto narrow = plan;
  narrow.equivalence = std::max(1 - limits.low, limits.high - 1) - 1e-6;
  EXPECT_GT(follow_race(narrow, arms).looks.size(), 1u);
}

TEST(Race, StopsAfterTheLastLookWithoutADecision) {
  const auto plan = plan_for({0}, {.equivalence = 0.01});
  const auto state = follow_race(plan, joined({finished_arms(0.2, 3, 8), finished_arms(0, 3, 8)}));
  EXPECT_TRUE(state.is_over);
  EXPECT_TRUE(state.needed.empty());
  EXPECT_EQ(state.looks.size(), 3u);
  EXPECT_THAT(decisions(state), ElementsAre(Verdict::undecided));
  EXPECT_EQ(state.slopes[0].look, 3);
  EXPECT_LT(state.slopes[0].comparison->ratio_interval.low, 1);
  EXPECT_GT(state.slopes[0].comparison->ratio_interval.high, 1);
}

TEST(Race, KeepsEverySlopeWhoseHypothesisWasNotRejectedInTheHolmFamily) {
  // At the first look, slope 0 is equivalent and slope 1 is worse. The race gives up on slope 2, and slope 0.1 stays
  // undecided.
  const auto plan = plan_for({0, 0.1, 1, 2});
  auto arms = joined({finished_arms(0.2, 3, 10, 0.02), finished_arms(0, 3, 10, 0.02), finished_arms(0.1, 3, 10, 0.4),
                      finished_arms(1, 3.3, 10, 0.02), finished_arms(2, 5, 2, 0.02)});
  const auto state = follow_race(plan, arms);
  EXPECT_THAT(decisions(state),
              ElementsAre(Verdict::equivalent, Verdict::undecided, Verdict::worse, Verdict::given_up));
  ASSERT_EQ(state.looks.size(), 3u);
  EXPECT_EQ(state.looks[0].family, 4);
  EXPECT_EQ(state.looks[0].comparisons.size(), 3u);
  EXPECT_EQ(state.looks[1].family, 3);  // without slope 1
  ASSERT_EQ(state.looks[1].comparisons.size(), 1u);
  EXPECT_EQ(state.looks[1].comparisons[0].negative_slope, 0.1);
  EXPECT_NEAR(state.looks[1].comparisons[0].p_holm, std::min(1.0, 3 * state.looks[1].comparisons[0].p), 1e-12);
}

TEST(Race, CutsTheIntervalAtOneIfOnlyHolmsCorrectionRejects) {
  // Holm's correction rejects the hypotheses of the other 12 slopes at the first look, so the last slope is tested at
  // the level 0.03 instead of 0.03 / 13.
  std::vector<double> slopes(13);
  std::iota(slopes.begin(), slopes.end(), 1.0);
  const auto plan = plan_for(slopes, {.give_up = 0});
  std::vector<RaceArm> arms = finished_arms(0.2, 0, 10);
  for (const double slope : slopes) {
    const auto more = finished_arms(slope, slope == 13 ? 0.17 : 3 * slope, 10);
    arms.insert(arms.end(), more.begin(), more.end());
  }
  const auto state = follow_race(plan, arms);
  const auto& last = *state.slopes.back().comparison;
  ASSERT_GT(last.p, plan.alphas[0] / 13);
  ASSERT_EQ(state.slopes.back().look, 1);
  EXPECT_EQ(last.decision, Verdict::worse);
  EXPECT_EQ(last.ratio_interval.low, 1);
}

// --- Failures --------------------------------------------------------------------------------------------------------

TEST(Race, CountsAFailedArmAsTheWorstValuePlusTheRange) {
  const auto plan = plan_for({0}, {.give_up = 0});
  std::vector<RaceArm> arms;
  for (std::int64_t repeat = 0; repeat < 4; ++repeat) {
    arms.push_back({0.2, repeat, ArmOutcome::done, std::exp(1.0 + 0.1 * static_cast<double>(repeat)), {}});
    arms.push_back({0, repeat, ArmOutcome::done, std::exp(2.0 + 0.1 * static_cast<double>(repeat)), {}});
  }
  arms[7].outcome = ArmOutcome::collapsed;
  const auto comparison = follow_race(plan, arms).looks.at(0).comparisons.at(0);
  EXPECT_EQ(comparison.failed, 1);
  EXPECT_EQ(comparison.control_failed, 0);
  // The log FDs are 1 to 1.3 and 2 to 2.2. The log FD of the failed arm is replaced with the largest one plus their
  // range: 2.2 + 1.2.
  EXPECT_NEAR(std::log(comparison.ratio), (2.0 + 2.1 + 2.2 + 3.4) / 4 - 1.15, 1e-9);
  EXPECT_NEAR(comparison.p, 2.0 / 70, 1e-12);
  EXPECT_EQ(comparison.decision, Verdict::worse);
  EXPECT_GT(comparison.ratio_interval.low, 1);
  EXPECT_EQ(comparison.ratio_interval.high, infinite);
}

TEST(Race, HandlesGroupsInWhichEveryArmFailed) {
  const auto plan = plan_for({0}, {.give_up = 0});
  auto arms = joined({finished_arms(0.2, 0, 4, 0), finished_arms(0, 0, 4)});
  for (std::size_t i = 4; i < 8; ++i) arms[i].outcome = ArmOutcome::diverged;
  // All FDs of the control are 1, so the range of the log FDs is 0. The log FD of a failed arm is then replaced with
  // the largest one plus 1.
  auto comparison = follow_race(plan, arms).looks.at(0).comparisons.at(0);
  EXPECT_NEAR(std::log(comparison.ratio), 1, 1e-9);
  EXPECT_EQ(comparison.decision, Verdict::worse);
  for (auto& arm : arms) arm.outcome = ArmOutcome::diverged;
  comparison = follow_race(plan, joined({arms, finished_arms(5, 0, 1)})).looks.at(0).comparisons.at(0);
  EXPECT_EQ(comparison.p, 1);
  EXPECT_EQ(comparison.ratio, 1);
  EXPECT_EQ(comparison.decision, Verdict::undecided);
}

TEST(Race, NeverCallsASlopeBetterIfItFailsMoreOften) {
  // Nine arms of slope 0 are far better than the control, and one failed. The value that replaces the failed arm does
  // not outweigh the nine lower values, so the mean and p alone would say that the slope is better.
  const auto plan = plan_for({0, 1, 2, 3}, {.equivalence = 0, .give_up = 0});
  std::vector<RaceArm> arms;
  for (std::int64_t repeat = 0; repeat < 10; ++repeat) {
    const auto r = static_cast<double>(repeat);
    arms.push_back({0.2, repeat, ArmOutcome::done, std::exp(3 + 0.001 * r), {}});
    arms.push_back({0, repeat, repeat == 9 ? ArmOutcome::diverged : ArmOutcome::done, std::exp(2 + 0.001 * r), {}});
    for (const double slope : {1.0, 2.0, 3.0})
      arms.push_back({slope, repeat, ArmOutcome::done, std::exp(4 + 0.01 * r), {}});
  }
  EXPECT_EQ(follow_race(plan, arms).slopes[0].decision, Verdict::better);  // at look 1, before the failure
  for (auto& arm : arms) {
    if (arm.negative_slope == 0) arm.repeat = (arm.repeat + 1) % 10;
  }
  const auto state = follow_race(plan, arms);
  ASSERT_EQ(state.looks.size(), 3u);
  EXPECT_EQ(state.looks[2].family, 1);
  EXPECT_LT(state.looks[2].comparisons[0].p, plan.alphas[2]);
  EXPECT_LT(state.looks[2].comparisons[0].ratio, 1);
  EXPECT_EQ(state.slopes[0].decision, Verdict::undecided);
  EXPECT_EQ(state.slopes[0].comparison->ratio_interval.high, infinite);
}

TEST(Race, NeverCallsASlopeWorseIfOnlyTheControlFails) {
  const auto plan = plan_for({0}, {.give_up = 0});
  auto arms = joined({finished_arms(0.2, 3, 8, 0.001), finished_arms(0, 3.5, 8, 0.001)});
  arms[0].outcome = ArmOutcome::diverged;
  const auto state = follow_race(plan, arms);
  EXPECT_NE(state.slopes[0].decision, Verdict::worse);
  EXPECT_EQ(state.slopes[0].comparison->ratio_interval.low, 0);
}

// --- Giving up -------------------------------------------------------------------------------------------------------

/// Two repeats of the control with interim FD 10, and two repeats of slope 1 with the interim FDs `first` and `second`.
std::vector<RaceArm> interim_arms(double first, double second) {
  std::vector<RaceArm> arms;
  for (std::int64_t repeat = 0; repeat < 2; ++repeat) {
    arms.push_back({0.2, repeat, ArmOutcome::pending, {}, 10});
    arms.push_back({1, repeat, ArmOutcome::pending, {}, repeat == 0 ? first : second});
  }
  return arms;
}

TEST(Race, GivesUpOnASlopeThatIsHopelessInItsFirstTwoRepeats) {
  const auto plan = plan_for({0, 1});
  const auto decision_for = [&](const std::vector<RaceArm>& arms) {
    return follow_race(plan, arms).slopes[1].decision;
  };
  EXPECT_EQ(decision_for(interim_arms(15, 16)), Verdict::given_up);
  EXPECT_EQ(decision_for(interim_arms(14.9, 16)), Verdict::undecided);
  EXPECT_EQ(decision_for(interim_arms(16, 14.9)), Verdict::undecided);
  EXPECT_EQ(decision_for(interim_arms(infinite, 16)), Verdict::given_up);
  auto arms = interim_arms(16, 16);
  const auto state = follow_race(plan, arms);
  EXPECT_THAT(state.slopes[1].interim_ratios, Pointwise(DoubleNear(1e-12), {1.6, 1.6}));
  for (const auto& arm : state.needed) EXPECT_NE(arm.negative_slope, 1);
  arms[3].interim_fd.reset();
  EXPECT_EQ(decision_for(arms), Verdict::undecided);
  arms[3].outcome = ArmOutcome::diverged;  // before the interim evaluation
  EXPECT_EQ(decision_for(arms), Verdict::given_up);
  arms[2].interim_fd.reset();
  arms[2].outcome = ArmOutcome::collapsed;  // the control
  EXPECT_EQ(decision_for(arms), Verdict::undecided);
  arms[2] = {0.2, 1, ArmOutcome::pending, {}, {}};
  EXPECT_EQ(decision_for(arms), Verdict::undecided);
  auto never = plan;
  never.give_up = 0;
  EXPECT_EQ(follow_race(never, interim_arms(1000, 1000)).slopes[1].decision, Verdict::undecided);
}

TEST(Race, MakesTheSameDecisionIfAnArmFailsAfterItsInterimEvaluation) {
  const auto plan = plan_for({0, 1});
  auto hopeless = interim_arms(16, 16), close = interim_arms(11, 11);
  for (auto* arms : {&hopeless, &close}) {
    for (auto& arm : *arms) arm.outcome = ArmOutcome::diverged;
  }
  EXPECT_EQ(follow_race(plan, hopeless).slopes[1].decision, Verdict::given_up);
  EXPECT_EQ(follow_race(plan, close).slopes[1].decision, Verdict::undecided);
}

TEST(Race, IsOverIfItHasGivenUpOnEverySlope) {
  const auto state = follow_race(plan_for({1}), interim_arms(20, 20));
  EXPECT_TRUE(state.is_over);
  EXPECT_TRUE(state.needed.empty());
  EXPECT_TRUE(state.looks.empty());
  EXPECT_FALSE(state.slopes[0].comparison);
}

// --- Invariance ------------------------------------------------------------------------------------------------------

/// The decisions, the comparisons and the needed arms of a state, as numbers that tests can compare.
std::vector<double> numbers_of(const RaceState& state) {
  std::vector<double> numbers = {state.is_over ? 1.0 : 0.0};
  for (const auto& slope : state.slopes) {
    numbers.insert(numbers.end(),
                   {slope.negative_slope, static_cast<double>(slope.decision), static_cast<double>(slope.look)});
    if (!slope.comparison) continue;
    const auto& comparison = *slope.comparison;
    numbers.insert(numbers.end(), {comparison.p, comparison.p_holm, comparison.ratio, comparison.ratio_interval.low,
                                   comparison.ratio_interval.high});
  }
  for (const auto& arm : state.needed)
    numbers.insert(numbers.end(), {arm.negative_slope, static_cast<double>(arm.repeat)});
  return numbers;
}

std::vector<RaceArm> mixed_arms(std::int64_t count) {
  return joined({finished_arms(0.2, 3, count), finished_arms(0, 3.02, count), finished_arms(0.5, 3.25, count),
                 finished_arms(1, 3.9, count), finished_arms(0.1, 2.9, count)});
}

TEST(Race, DoesNotDependOnTheOrderInWhichArmsEnd) {
  const auto plan = plan_for({0, 0.1, 0.5, 1});
  const auto arms = mixed_arms(10);
  const auto expected = numbers_of(follow_race(plan, arms));
  for (std::uint64_t i = 0; i < 50; ++i) {
    // Arms end in a random order, and the state is computed after each of them.
    std::vector<RaceArm> ended;
    RaceState state;
    for (const auto at : keyed_permutation(3, "order of arms", i, static_cast<std::uint32_t>(arms.size()))) {
      ended.push_back(arms[at]);
      const auto next = follow_race(plan, ended);
      // Complete looks never change.
      ASSERT_GE(next.looks.size(), state.looks.size());
      for (std::size_t look = 0; look < state.looks.size(); ++look) {
        ASSERT_EQ(next.looks[look].comparisons.size(), state.looks[look].comparisons.size());
      }
      state = next;
    }
    EXPECT_EQ(numbers_of(state), expected);
  }
}

TEST(Race, TrainingOnlyTheNeededArmsGivesTheSameDecisionsAsTrainingAll) {
  const auto plan = plan_for({0, 0.1, 0.5, 1});
  const auto arms = mixed_arms(10);
  const auto expected = follow_race(plan, arms);
  std::vector<RaceArm> trained;
  RaceState state = follow_race(plan, trained);
  while (!state.is_over) {
    ASSERT_FALSE(state.needed.empty());
    const auto next = std::find_if(arms.begin(), arms.end(), [&](const RaceArm& arm) {
      return RaceArmId{arm.negative_slope, arm.repeat} == state.needed.front();
    });
    ASSERT_NE(next, arms.end());
    trained.push_back(*next);
    state = follow_race(plan, trained);
  }
  EXPECT_EQ(numbers_of(state), numbers_of(expected));
  EXPECT_LT(trained.size(), arms.size());
}

TEST(Race, IgnoresArmsThatItDoesNotNeed) {
  const auto plan = plan_for({0, 0.1, 0.5, 1});
  auto arms = mixed_arms(20);
  const auto expected = numbers_of(follow_race(plan, mixed_arms(10)));
  EXPECT_EQ(numbers_of(follow_race(plan, arms)), expected);
  // The race gives up on slope 1 after two repeats, so the results of later repeats do not matter.
  for (auto& arm : arms) {
    if (arm.negative_slope == 1 && arm.repeat >= 2) arm.fd = 0.001;
  }
  auto more = joined({arms, finished_arms(7, 0, 5)});
  EXPECT_EQ(numbers_of(follow_race(plan, more)), expected);
  more.push_back(more.front());
  EXPECT_THROW(follow_race(plan, more), std::invalid_argument);
}

TEST(Race, ReportsSpreadsThatDifferByMoreThanAFactorOfTwo) {
  const auto plan = plan_for({0}, {.equivalence = 0.001, .give_up = 0});
  std::vector<RaceArm> arms;
  for (std::int64_t repeat = 0; repeat < 8; ++repeat) {
    const double score = repeat % 2 == 0 ? 0.1 : -0.1;
    arms.push_back({0.2, repeat, ArmOutcome::done, std::exp(score), {}});
    arms.push_back({0, repeat, ArmOutcome::done, std::exp(1.9 * score), {}});
  }
  EXPECT_FALSE(follow_race(plan, arms).slopes[0].comparison->spreads_differ);
  for (auto& arm : arms) {
    if (arm.negative_slope == 0) arm.fd = std::pow(*arm.fd, 1.2);
  }
  EXPECT_TRUE(follow_race(plan, arms).slopes[0].comparison->spreads_differ);
}

}  // namespace
}  // namespace slopegan
