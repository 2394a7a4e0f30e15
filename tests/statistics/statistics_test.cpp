#include "statistics/statistics.h"

#include <cmath>
#include <limits>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "statistics_numbers.h"

namespace slopegan {
namespace {

using ::testing::ElementsAre;

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// One finished arm per slope and seed. The FDs of a slope are those of the seeds 0, 1, 2, …
std::vector<ArmScore> arms_with(const std::vector<std::pair<double, std::vector<double>>>& slopes) {
  std::vector<ArmScore> arms;
  for (const auto& [slope, fds] : slopes) {
    for (std::size_t seed = 0; seed < fds.size(); ++seed) {
      arms.push_back({slope, static_cast<std::int64_t>(seed), ArmOutcome::done, fds[seed], {}});
    }
  }
  return arms;
}

TEST(SweepStatistics, ComparesSlopesWithTheControlWithinSeeds) {
  const auto statistics = sweep_statistics(arms_with({{0.2, {10, 20, 40}}, {0.1, {5, 16, 36}}}), 0.2);
  EXPECT_EQ(statistics.control, 0.2);
  EXPECT_THAT(statistics.seeds, ElementsAre(0, 1, 2));
  ASSERT_EQ(statistics.comparisons.size(), 1u);
  const auto& comparison = statistics.comparisons[0];
  EXPECT_EQ(comparison.negative_slope, 0.1);
  EXPECT_EQ(comparison.pairs, 3);
  EXPECT_EQ(comparison.wins, 3);
  EXPECT_TRUE(comparison.favours_slope());
  EXPECT_NEAR(comparison.median_ratio.value(), 0.8, 1e-12);
  EXPECT_NEAR(comparison.median_ratio_interval->low, 0.5, 1e-12);
  EXPECT_NEAR(comparison.median_ratio_interval->high, 0.9, 1e-12);
  EXPECT_NEAR(comparison.mean_log_ratio.value(), std::log(0.5 * 0.8 * 0.9) / 3, 1e-12);
  EXPECT_EQ(comparison.p.value(), 0.25);
  EXPECT_EQ(comparison.p_holm.value(), 0.25);
  EXPECT_EQ(comparison.smallest_p_holm, 0.25);
  EXPECT_FALSE(comparison.can_be_significant);
  EXPECT_EQ(comparison.verdict, Verdict::too_few_seeds);
  EXPECT_EQ(comparison.simultaneous_interval->low, 0);
  EXPECT_TRUE(std::isinf(comparison.simultaneous_interval->high));
}

TEST(SweepStatistics, CorrectsForTheNumberOfSlopes) {
  // Six seeds with differences of the same sign: p = 1/32, or 2/32 after the correction for two slopes.
  const std::vector<double> control = {10, 11, 12, 13, 14, 15}, worse = {20, 21, 25, 26, 28, 33};
  const auto one = sweep_statistics(arms_with({{0.2, control}, {1, worse}}), 0.2);
  EXPECT_TRUE(one.comparisons[0].significant);
  EXPECT_EQ(one.comparisons[0].verdict, Verdict::worse);
  EXPECT_GT(one.comparisons[0].simultaneous_interval->low, 1);
  const auto two = sweep_statistics(arms_with({{0.2, control}, {0.5, worse}, {1, worse}}), 0.2);
  EXPECT_EQ(two.comparisons[0].p_holm.value(), 2.0 / 32);
  EXPECT_EQ(two.comparisons[0].smallest_p_holm, 2.0 / 32);
  EXPECT_FALSE(two.comparisons[0].can_be_significant);
  EXPECT_EQ(two.comparisons[0].simultaneous_interval->low, 0);  // 97.5 % confidence requires seven seeds
}

TEST(SweepStatistics, DistinguishesNotSignificantFromCannotBeSignificant) {
  const auto statistics = sweep_statistics(arms_with({{0.2, {1, 1, 1, 1, 1, 1}}, {1, {2, 2, 2, 0.5, 0.5, 0.5}}}), 0.2);
  EXPECT_FALSE(statistics.comparisons[0].significant);
  EXPECT_TRUE(statistics.comparisons[0].can_be_significant);
  EXPECT_EQ(statistics.comparisons[0].smallest_p_holm, 1.0 / 32);
}

TEST(SweepStatistics, UsesTheNearestSlopeIfTheControlIsMissing) {
  const auto statistics = sweep_statistics(arms_with({{0.1, {1}}, {0.25, {1}}, {1, {1}}}), 0.2);
  EXPECT_EQ(statistics.wanted_control, 0.2);
  EXPECT_EQ(statistics.control, 0.25);
  EXPECT_EQ(statistics.comparisons.size(), 2u);
}

TEST(SweepStatistics, RanksAFailedArmLast) {
  auto arms = arms_with({{0.2, {10, 10, 10, 10, 10, 10}}, {1, {11, 11, 11, 9, 11, 11}}});
  arms[9].outcome = ArmOutcome::collapsed;  // slope 1, seed 3: its low FD is ignored
  arms[10].outcome = ArmOutcome::diverged;
  arms[10].fd.reset();
  arms[11].fd = not_a_number;
  const auto statistics = sweep_statistics(arms, 0.2);
  const auto& comparison = statistics.comparisons.at(0);
  EXPECT_EQ(comparison.pairs, 6);
  EXPECT_EQ(comparison.lost, 3);
  EXPECT_EQ(comparison.wins, 0);
  EXPECT_EQ(comparison.p.value(), 2.0 / 64);
  EXPECT_FALSE(comparison.favours_slope());
  EXPECT_NEAR(comparison.mean_log_ratio.value(), std::log(1.1), 1e-12);
  EXPECT_TRUE(std::isinf(comparison.median_ratio.value()));
  EXPECT_EQ(statistics.slopes.at(1).diverged, 2);
  EXPECT_EQ(statistics.slopes.at(1).collapsed, 1);
  EXPECT_EQ(statistics.slopes.at(1).scored, 3);
  EXPECT_EQ(statistics.slopes.at(0).probability_best.value(), 1);
  EXPECT_TRUE(statistics.missing.empty());
}

TEST(SweepStatistics, FavoursTheSlopeWithFewerFailuresRegardlessOfTheOtherSeeds) {
  auto arms = arms_with({{0.2, {10, 10, 10}}, {1, {5, 5, 5}}});
  EXPECT_TRUE(sweep_statistics(arms, 0.2).comparisons.at(0).favours_slope());
  arms[4].outcome = ArmOutcome::diverged;
  EXPECT_FALSE(sweep_statistics(arms, 0.2).comparisons.at(0).favours_slope());
}

TEST(SweepStatistics, DerivesTheVerdictFromTheMeanIfTheMedianDisagrees) {
  // The slope is slightly worse for eight seeds, and five times as good for seven.
  std::vector<double> control(15, 10), slope;
  for (int i = 0; i < 8; ++i) slope.push_back(10.5);
  for (int i = 0; i < 7; ++i) slope.push_back(2);
  const Comparison comparison = sweep_statistics(arms_with({{0.2, control}, {1, slope}}), 0.2).comparisons.at(0);
  EXPECT_GT(comparison.median_ratio.value(), 1);
  EXPECT_LT(comparison.mean_log_ratio.value(), 0);
  EXPECT_TRUE(comparison.significant) << comparison.p.value();
  EXPECT_EQ(comparison.verdict, Verdict::better);
}

TEST(SweepStatistics, CountsASeedInWhichBothFailedAsATie) {
  const std::vector<double> control(8, 10), slope = {12, 13, 14, 15, 16, 17, 18, 19};
  auto arms = arms_with({{0.2, control}, {1, slope}});
  const Comparison all = sweep_statistics(arms, 0.2).comparisons.at(0);
  EXPECT_EQ(all.both_scored, 8);
  EXPECT_EQ(all.p.value(), 2.0 / 256);
  arms[0].outcome = arms[8].outcome = ArmOutcome::diverged;
  arms[1].outcome = arms[9].outcome = ArmOutcome::collapsed;
  const Comparison comparison = sweep_statistics(arms, 0.2).comparisons.at(0);
  EXPECT_EQ(comparison.pairs, 8);
  EXPECT_EQ(comparison.both_lost, 2);
  EXPECT_EQ(comparison.both_scored, 6);
  EXPECT_EQ(comparison.lost, 0);
  EXPECT_EQ(comparison.control_lost, 0);
  EXPECT_EQ(comparison.wins, 0);
  // The ratios are 1, 1, 1.4 … 1.9.
  EXPECT_NEAR(comparison.median_ratio.value(), std::sqrt(1.5 * 1.6), 0.01);
  // The p-value, its smallest possible value and the interval are those of the six other seeds.
  EXPECT_EQ(comparison.p.value(), 2.0 / 64);
  EXPECT_EQ(comparison.smallest_p_holm, 2.0 / 64);
  EXPECT_EQ(comparison.verdict, Verdict::worse);
  EXPECT_NEAR(comparison.simultaneous_interval->low, 1.4, 1e-9);
}

TEST(SweepStatistics, IsNotComparableIfEveryArmFailed) {
  auto arms = arms_with({{0, {9, 9, 9, 9, 9, 9}}, {0.2, {9, 9, 9, 9, 9, 9}}});
  for (auto& arm : arms) arm.outcome = ArmOutcome::diverged;
  const auto statistics = sweep_statistics(arms, 0.2);
  const auto& comparison = statistics.comparisons.at(0);
  EXPECT_EQ(comparison.pairs, 6);
  EXPECT_EQ(comparison.informative_pairs(), 0);
  EXPECT_EQ(comparison.p.value(), 1);
  EXPECT_FALSE(comparison.p_holm);
  EXPECT_FALSE(comparison.simultaneous_interval);
  EXPECT_EQ(comparison.verdict, Verdict::not_comparable);
}

TEST(SweepStatistics, NeverCombinesASignificantVerdictWithAnIntervalThatContainsOne) {
  // Nine seeds, two slopes. The hypothesis of slope 1 is rejected with p = 2/512. Holm's correction then tests that of
  // slope 0.5 at 0.05 instead of 0.025 and rejects it, too. The simultaneous interval of slope 0.5 would contain 1 if
  // it were not cut.
  const std::vector<double> control(9, 10), clearly(9, 30);
  const std::vector<double> barely = {11.4, 12, 11.2, 12.5, 11.8, 11.6, 11.3, 9.3, 8.9};
  const auto comparisons = sweep_statistics(arms_with({{0.2, control}, {0.5, barely}, {1, clearly}}), 0.2).comparisons;
  ASSERT_GT(comparisons[0].p.value(), 0.025);
  EXPECT_TRUE(comparisons[0].significant) << comparisons[0].p_holm.value();
  EXPECT_EQ(comparisons[0].verdict, Verdict::worse);
  EXPECT_EQ(comparisons[0].simultaneous_interval->low, 1);
  EXPECT_GT(comparisons[0].simultaneous_interval->high, 1);
  EXPECT_GT(comparisons[1].simultaneous_interval->low, 1);
}

TEST(SweepStatistics, NeverCombinesAnUndetectedDifferenceWithAnIntervalThatExcludesOne) {
  const auto found = testing::contradictory_fds();
  ASSERT_TRUE(found);
  const std::vector<double> control(found->fds.size(), 1);
  const auto comparison =
      sweep_statistics(arms_with({{0.2, control}, {1, found->fds}}), 0.2, {.alpha = found->alpha, .resampling = {}})
          .comparisons.at(0);
  EXPECT_EQ(comparison.verdict, Verdict::no_difference_detected);
  EXPECT_LE(comparison.simultaneous_interval->low, 1);
  EXPECT_GE(comparison.simultaneous_interval->high, 1);
}

TEST(SweepStatistics, CountsTheArmsOfASlopeByOutcome) {
  auto arms = arms_with({{0.2, {10, 10, 10}}, {1, {11, 11, 11, 11}}});
  arms[3].outcome = ArmOutcome::collapsed;
  arms[4].outcome = ArmOutcome::diverged;
  arms[5].outcome = ArmOutcome::pending;
  const SlopeSummary summary = sweep_statistics(arms, 0.2).slopes.at(1);
  EXPECT_EQ(summary.arms, 4);
  EXPECT_EQ(summary.scored, 1);
  EXPECT_EQ(summary.collapsed + summary.diverged + summary.missing, 3);
}

TEST(SweepStatistics, ExcludesMissingArmsAndListsThem) {
  auto arms = arms_with({{0, {9, 8, 7}}, {0.2, {10, 10, 10}}, {1, {12, 12, 12}}});
  arms[1].outcome = ArmOutcome::error;  // slope 0, seed 1
  arms[5].fd.reset();                   // slope 0.2, seed 2
  arms[6].outcome = ArmOutcome::pending;
  arms[7].fd = 0;
  arms.pop_back();  // slope 1, seed 2 is not in the input at all
  const auto statistics = sweep_statistics(arms, 0.2);
  EXPECT_THAT(statistics.missing,
              ElementsAre(MissingArm{0, 1}, MissingArm{0.2, 2}, MissingArm{1, 0}, MissingArm{1, 1}));
  EXPECT_EQ(statistics.comparisons.at(0).pairs, 1);
  EXPECT_EQ(statistics.comparisons.at(1).pairs, 0);
  EXPECT_FALSE(statistics.comparisons.at(1).p);
  EXPECT_FALSE(statistics.comparisons.at(1).p_holm);
  // Slope 1 has no pairs, so the correction does not count it.
  EXPECT_EQ(statistics.comparisons.at(0).p_holm.value(), 1);
  EXPECT_EQ(statistics.slopes.at(2).missing, 2);
  EXPECT_EQ(statistics.complete_seeds, 1);
  EXPECT_FALSE(statistics.slopes.at(0).probability_best);
}

TEST(SweepStatistics, SeparatesTheVariancesOfTheSeedsAndOfTheMetric) {
  auto arms = arms_with({{0.2, {std::exp(1.0), std::exp(2.0), std::exp(3.0)}}, {1, {std::exp(2.0), std::exp(4.0)}}});
  EXPECT_FALSE(sweep_statistics(arms, 0.2).metric_variance);
  arms[0].fd_repeat = std::exp(1.2);
  arms[3].fd_repeat = std::exp(1.6);
  const auto statistics = sweep_statistics(arms, 0.2);
  EXPECT_NEAR(statistics.slopes[0].seed_variance.value(), 1, 1e-12);
  EXPECT_NEAR(statistics.slopes[1].seed_variance.value(), 2, 1e-12);
  EXPECT_NEAR(statistics.seed_variance.value(), (2 * 1 + 1 * 2) / 3.0, 1e-12);
  EXPECT_NEAR(statistics.slopes[0].metric_variance.value(), 0.04 / 2, 1e-12);
  EXPECT_NEAR(statistics.slopes[1].metric_variance.value(), 0.16 / 2, 1e-12);
  EXPECT_NEAR(statistics.metric_variance.value(), 0.05, 1e-12);
}

TEST(SweepStatistics, MeasuresRankStabilityAndPairingCorrelation) {
  const auto stable = sweep_statistics(arms_with({{0, {3, 6, 12}}, {0.2, {2, 4, 8}}, {1, {5, 10, 20}}}), 0.2);
  EXPECT_NEAR(stable.rank_stability.value(), 1, 1e-12);
  EXPECT_NEAR(stable.pairing_correlation.value(), 1, 1e-12);
  // The second seed ranks the slopes in the reverse order of the other two, so the pairs of seeds have τ = -1, 1, -1.
  const auto unstable = sweep_statistics(arms_with({{0, {1, 3, 1}}, {0.2, {2, 2, 2}}, {1, {3, 1, 3}}}), 0.2);
  EXPECT_NEAR(unstable.rank_stability.value(), -1.0 / 3, 1e-12);
  EXPECT_FALSE(unstable.pairing_correlation);
}

TEST(SweepStatistics, RejectsAnEmptyListAndDuplicateArms) {
  EXPECT_THROW(sweep_statistics({}, 0.2), std::invalid_argument);
  EXPECT_THROW(sweep_statistics(arms_with({{0.2, {1}}, {0.2, {1}}}), 0.2), std::invalid_argument);
}

}  // namespace
}  // namespace slopegan
