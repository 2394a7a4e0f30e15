#include "statistics/inference.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "slow_check.h"
#include "statistics_numbers.h"
#include "support/random.h"
#include "support/text.h"

namespace slopegan {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using Values = std::vector<double>;
using testing::infinite;

Values random_differences(std::size_t count, std::uint64_t index) {
  std::vector<float> drawn(count);
  RandomStream(7, "test differences", index).fill_normal(drawn);
  return Values(drawn.begin(), drawn.end());
}

/// P(|number of heads − number of tails| >= surplus) for `flips` flips of a fair coin.
double coin_surplus_probability(int flips, int surplus) {
  double probability = 0;
  for (int heads = 0; heads <= flips; ++heads) {
    if (std::abs(2 * heads - flips) < surplus) continue;
    probability += std::exp(std::lgamma(flips + 1) - std::lgamma(heads + 1) - std::lgamma(flips - heads + 1) -
                            flips * std::log(2.0));
  }
  return probability;
}

/// `count` differences of magnitude 1; the last `negative` of them are −1.
Values equal_magnitudes(int count, int negative) {
  Values values(static_cast<std::size_t>(count), 1);
  for (int i = 0; i < negative; ++i) values[static_cast<std::size_t>(count - 1 - i)] = -1;
  return values;
}

TEST(SignFlipTest, ReturnsTheSmallestPIfAllDifferencesHaveTheSameSign) {
  EXPECT_EQ(sign_flip_p(Values{0.1, 0.2, 0.05}), 0.25);
  EXPECT_EQ(sign_flip_p(Values{-3, -1, -2, -1, -5, -1}), 2.0 / 64);
  EXPECT_EQ(sign_flip_p(Values{4}), 1);
  EXPECT_EQ(sign_flip_p({}), 1);
  EXPECT_EQ(sign_flip_p(Values{0, 0, 0}), 1);
}

TEST(SignFlipTest, MatchesACountByHand) {
  // The eight sums of ±3, ±2 and ±1 have the magnitudes 4 (observed), 6, 0 and 2, twice each. Half of them are at
  // least 4.
  EXPECT_EQ(sign_flip_p(Values{3, 2, -1}), 0.5);
}

TEST(SignFlipTest, MatchesSciPy) {
  for (const auto& golden : testing::golden_statistics("sign_flip")) {
    EXPECT_NEAR(sign_flip_p(golden.at("differences").get<Values>()), golden.at("p").get<double>(), 1e-12);
  }
}

TEST(SignFlipTest, EqualsTheBinomialTestForEqualMagnitudes) {
  EXPECT_NEAR(sign_flip_p(equal_magnitudes(20, 4)), coin_surplus_probability(20, 12), 1e-12);
  // With more than 20 pairs, the test draws random flips.
  const double exact = coin_surplus_probability(24, 10);
  EXPECT_NEAR(sign_flip_p(equal_magnitudes(24, 7)), exact,
              testing::hits_tolerance(random_flips, exact) / static_cast<double>(random_flips));
}

TEST(SignFlipTest, RanksAFailureLastRegardlessOfTheOtherDifferences) {
  EXPECT_EQ(sign_flip_p(Values{infinite, infinite, 1, 2, 3, 0.5}), 2.0 / 64);
  for (const double scale : {1e-3, 1.0, 1e3}) {
    // The failure outweighs the rest, so p is the one-sided p-value of the rest: 2 of the 8 sums of {1, 2, -0.5} reach
    // 2.5.
    EXPECT_EQ(sign_flip_p(Values{infinite, scale, 2 * scale, -0.5 * scale}), 0.25);
    EXPECT_EQ(sign_flip_p(Values{-infinite, -scale, -2 * scale, 0.5 * scale}), 0.25);
    // All other differences have the opposite sign.
    EXPECT_EQ(sign_flip_p(Values{infinite, -scale, -scale}), 1);
    EXPECT_EQ(sign_flip_p(Values{infinite, -scale, -2 * scale, -4 * scale}), 1);
  }
  // Failures with opposite signs cancel.
  EXPECT_EQ(sign_flip_p(Values{infinite, -infinite}), 1);
}

TEST(SmallestSignFlipP, HalvesWithEveryPair) {
  EXPECT_EQ(smallest_sign_flip_p(0), 1);
  EXPECT_EQ(smallest_sign_flip_p(3), 0.25);
  EXPECT_EQ(smallest_sign_flip_p(6), 0.03125);
  EXPECT_EQ(smallest_sign_flip_p(20), std::ldexp(1, -19));
  EXPECT_EQ(smallest_sign_flip_p(24), smallest_sign_flip_p(20)) << "with random flips";
  EXPECT_EQ(sign_flip_p(equal_magnitudes(40, 0)), smallest_sign_flip_p(40));
}

TEST(PairsNeeded, RejectsInvalidErrorRates) {
  for (const double alpha : {0.0, -1.0, std::nan("")}) EXPECT_THROW(pairs_needed(1, alpha), std::invalid_argument);
}

TEST(PairsNeeded, IsTheSmallestCountThatPassesHolmsFirstStep) {
  EXPECT_EQ(pairs_needed(1, 0.05), 6u);  // 1/32
  EXPECT_EQ(pairs_needed(4, 0.05), 8u);  // 4/128
  EXPECT_EQ(pairs_needed(6, 0.05), 8u);  // 6/128
  EXPECT_EQ(pairs_needed(7, 0.05), 9u);  // 7/256
  EXPECT_EQ(pairs_needed(16, 1e-4), 19u);
  EXPECT_EQ(pairs_needed(1, 2e-6), 20u);  // 1/524,288
  EXPECT_EQ(pairs_needed(1, 1e-6), std::nullopt);
}

TEST(PairsNeeded, AreEnoughAndFewerAreNot) {
  for (const double alpha : {0.05, 1e-3, 1e-4, 2e-6}) {
    for (const std::size_t comparisons : {1u, 4u, 16u}) {
      const auto needed = pairs_needed(comparisons, alpha);
      for (std::size_t pairs = 0; pairs <= 64; ++pairs) {
        const bool is_enough = static_cast<double>(comparisons) * smallest_sign_flip_p(pairs) <= alpha;
        EXPECT_EQ(is_enough, needed && pairs >= *needed) << pairs << " pairs, " << comparisons << ", " << alpha;
      }
    }
  }
}

TEST(Holm, MultipliesByTheNumberOfRemainingTests) {
  // In ascending order, the products are 4 · 0.005, 3 · 0.01, 2 · 0.03 and 1 · 0.04. The last one is raised to the
  // product before it.
  EXPECT_THAT(holm(Values{0.01, 0.04, 0.03, 0.005}),
              ElementsAre(DoubleEq(0.03), DoubleEq(0.06), DoubleEq(0.06), DoubleEq(0.02)));
  EXPECT_THAT(holm(Values{0.7, 0.8}), ElementsAre(1, 1));
  EXPECT_TRUE(holm({}).empty());
}

TEST(SymmetricCentreInterval, EndsWhereSciPysTestStartsToReject) {
  for (const auto& golden : testing::golden_statistics("centre")) {
    const auto found =
        symmetric_centre_interval(golden.at("differences").get<Values>(), 1 - golden.at("alpha").get<double>());
    EXPECT_NEAR(found.low, golden.at("low").get<double>(), 1e-9);
    EXPECT_NEAR(found.high, golden.at("high").get<double>(), 1e-9);
  }
}

TEST(SymmetricCentreInterval, ContainsZeroExactlyWhenTheTestDoesNotRejectIt) {
  int rejected = 0;
  for (std::uint64_t i = 0; i < 300; ++i) {
    auto differences = random_differences(9, i);
    for (double& d : differences) d += 0.6;
    const double alpha = i % 2 == 0 ? 0.05 : 0.0125;
    const auto interval = symmetric_centre_interval(differences, 1 - alpha);
    const bool rejects = sign_flip_p(differences) <= alpha;
    EXPECT_EQ(interval.low > 0 || interval.high < 0, rejects);
    rejected += rejects;
  }
  EXPECT_GT(rejected, 30);
  EXPECT_LT(rejected, 270);
}

TEST(SymmetricCentreInterval, HasTheNominalCoverage) {
  // With 6 pairs, the ordered subset means divide the line into 64 parts. At 95 %, the interval consists of all parts
  // but the two outermost.
  constexpr int trials = 4000;
  constexpr double covered = 1 - 2.0 / 64;
  int hits = 0;
  for (int i = 0; i < trials; ++i) {
    const auto interval = symmetric_centre_interval(random_differences(6, 1000 + static_cast<std::uint64_t>(i)), 0.95);
    hits += interval.low <= 0 && 0 <= interval.high;
  }
  EXPECT_NEAR(hits, trials * covered, testing::hits_tolerance(trials, covered));
}

TEST(SymmetricCentreInterval, IsUnboundedForTooFewPairsOrFailuresOnBothSides) {
  for (const auto& values : {Values{}, Values{1, 2, 3, 4, 5}, Values{infinite, -infinite, 1, 1, 1, 1, 1, 1}}) {
    const auto interval = symmetric_centre_interval(values, 0.95);
    EXPECT_EQ(interval.low, -infinite);
    EXPECT_EQ(interval.high, infinite);
  }
  const auto one_sided = symmetric_centre_interval(Values{infinite, 1, 2, 3, 4, 5}, 0.95);
  EXPECT_EQ(one_sided.low, 1);
  EXPECT_EQ(one_sided.high, infinite);
}

TEST(SymmetricCentreInterval, IsCloseToStudentsIntervalForManyNormalDifferences) {
  // With 30 pairs, the subsets are drawn at random. Student's interval is exact for normally distributed differences.
  const auto differences = random_differences(30, 99);
  const auto interval = symmetric_centre_interval(differences, 0.95);
  const double half = 2.045 * std::sqrt(sample_variance(differences).value() / 30);
  EXPECT_NEAR(interval.low, mean(differences) - half, 0.15 * half);
  EXPECT_NEAR(interval.high, mean(differences) + half, 0.15 * half);
}

double binomial_probability(int n, int k, double p) {
  return std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) + k * std::log(p) +
                  (n - k) * std::log1p(-p));
}

/// The rank (counted from 1) of the lower limit of the 95 % percentile interval for the median of n values, where n is
/// odd. A resampled median is at most the value with this rank if more than half of the draws are at most this value.
int first_rank(int n) {
  for (int rank = 1; rank < n; ++rank) {
    double below = 0;
    for (int k = (n + 1) / 2; k <= n; ++k) below += binomial_probability(n, k, static_cast<double>(rank) / n);
    if (below > 0.025) return rank;
  }
  return n;
}

/// The probability that the interval contains the median of a continuous distribution, computed from the ranks of its
/// limits.
double bootstrap_coverage(int n) {
  double outside = 0;
  for (int k = 0; k < first_rank(n); ++k) outside += 2 * binomial_probability(n, k, 0.5);
  return 1 - outside;
}

TEST(BootstrapMedianInterval, EndsAtTheRanksOfTheBinomialDistribution) {
  for (const int n : {3, 5, 7, 9, 11, 21}) {
    Values values;
    for (int i = 1; i <= n; ++i) values.push_back(i * i);
    const auto interval = bootstrap_median_interval(values, 0.95);
    const int rank = first_rank(n);
    EXPECT_EQ(interval.low, rank * rank) << n;
    EXPECT_EQ(interval.high, (n + 1 - rank) * (n + 1 - rank)) << n;
  }
}

/// The coverage that inference.h documents.
const std::map<int, double> documented_coverage = {{3, 0.75}, {4, 0.88},  {5, 0.9375}, {6, 0.935}, {7, 0.875},
                                                   {8, 0.93}, {9, 0.961}, {10, 0.944}, {11, 0.935}};

TEST(BootstrapMedianInterval, HasTheDocumentedCoverageForOddSampleSizes) {
  for (const auto& [n, documented] : documented_coverage) {
    if (n % 2 == 1) {
      EXPECT_NEAR(bootstrap_coverage(n), documented, 0.0006) << n;
    }
  }
}

TEST(BootstrapCoverageSlowCheck, MeasuresTheDocumentedCoverage) {
  const int trials = testing::check_count(300, 10'000);
  std::vector<std::string> measured;
  for (const auto& [n, documented] : documented_coverage) {
    int hits = 0;
    for (int i = 0; i < trials; ++i) {
      std::vector<float> drawn(static_cast<std::size_t>(n));
      RandomStream(11, "coverage", static_cast<std::uint64_t>(i)).fill_normal(drawn);
      const auto interval = bootstrap_median_interval(Values(drawn.begin(), drawn.end()), 0.95);
      hits += interval.low <= 0 && 0 <= interval.high;
    }
    measured.push_back(format_text("n = {}: {:.1f} %", n, 100.0 * hits / trials));
    EXPECT_NEAR(hits, documented * trials, testing::hits_tolerance(trials, documented) + 0.005 * trials) << n;
  }
  testing::report_check(
      format_text("coverage of the 95 % bootstrap interval of a median, {} samples of each size", trials),
      join(measured, ", "));
}

TEST(BootstrapMedianInterval, MatchesSciPy) {
  for (const auto& golden : testing::golden_statistics("median_interval")) {
    const auto interval = bootstrap_median_interval(golden.at("values").get<Values>(), 0.95);
    EXPECT_EQ(interval.low, golden.at("limits").at(0).get<double>());
    EXPECT_EQ(interval.high, golden.at("limits").at(1).get<double>());
  }
}

TEST(BootstrapMedianInterval, AcceptsFailuresAndIsUnboundedForOneValue) {
  const auto failed = bootstrap_median_interval(Values{infinite, 1, 2}, 0.95);
  EXPECT_EQ(failed.low, 1);
  EXPECT_EQ(failed.high, infinite);
  const auto single = bootstrap_median_interval(Values{1}, 0.95);
  EXPECT_EQ(single.low, -infinite);
  EXPECT_EQ(single.high, infinite);
}

/// The limits computed from all n^n resamples.
Interval enumerated_median_interval(const Values& values, double confidence) {
  const std::size_t n = values.size();
  auto count = static_cast<std::size_t>(std::lround(std::pow(n, n)));
  Values medians;
  for (std::size_t index = 0; index < count; ++index) {
    Values drawn;
    for (std::size_t i = 0, rest = index; i < n; ++i, rest /= n) drawn.push_back(values[rest % n]);
    medians.push_back(median(drawn));
  }
  std::sort(medians.begin(), medians.end());
  const auto outside = static_cast<std::size_t>(std::ceil((1 - confidence) / 2 * static_cast<double>(count) - 1e-6));
  return {medians[outside - 1], medians[count - outside]};
}

TEST(BootstrapMedianInterval, MatchesAnEnumerationOfAllResamples) {
  for (const auto& values :
       {Values{3, 1}, Values{4, 1, 2}, Values{0.3, 9, 1, 0.2}, Values{2, 2, 1, 5}, Values{7, 1, 3, 2, 6},
        Values{0.1, 0.5, 0.2, 0.9, 0.4, 0.45}, Values{1, infinite, 2, 4}, Values{-infinite, infinite, 2, 4, 3, 8}}) {
    for (const double confidence : {0.5, 0.8, 0.95, 0.99}) {
      const auto exact = bootstrap_median_interval(values, confidence);
      const auto enumerated = enumerated_median_interval(values, confidence);
      EXPECT_EQ(exact.low, enumerated.low) << values.size() << " values, " << confidence;
      EXPECT_EQ(exact.high, enumerated.high) << values.size() << " values, " << confidence;
    }
  }
}

TEST(BootstrapMedianInterval, ApproachesTheNormalLimitsForManyValues) {
  for (const int n : {200, 201}) {
    Values values;
    for (int i = 0; i < n; ++i) values.push_back(i);
    const auto interval = bootstrap_median_interval(values, 0.95);
    // The rank of the median has standard deviation sqrt(n) / 2.
    EXPECT_NEAR(interval.low, (n - 1) / 2.0 - 1.96 * std::sqrt(n) / 2, 1.5) << n;
    EXPECT_NEAR(interval.high, (n - 1) / 2.0 + 1.96 * std::sqrt(n) / 2, 1.5) << n;
  }
}

TEST(ProbabilityBest, IsTheFractionOfResamplesWithTheLowestMean) {
  // The first candidate is better in two trials and, in the third trial, is much worse or fails. It is therefore the
  // best only if the third trial is never drawn.
  constexpr double never = 8.0 / 27, draws = 10'000;
  for (const double third : {6.0, infinite}) {
    const auto best = probability_best({{0, 0, third}, {1, 1, 1}}, {});
    EXPECT_NEAR(best[0] * draws, never * draws, testing::hits_tolerance(draws, never));
    EXPECT_NEAR(best[0] + best[1], 1, 1e-9);
  }
}

TEST(ProbabilityBest, IsSplitAmongEqualCandidates) {
  const auto best = probability_best({{1, 2}, {1, 2}, {3, 3}}, {});
  EXPECT_NEAR(best[0], 0.5, 1e-9);
  EXPECT_NEAR(best[1], 0.5, 1e-9);
  EXPECT_EQ(best[2], 0);
}

TEST(ProbabilityBest, RequiresOneScorePerTrial) {
  EXPECT_THROW(probability_best({}, {}), std::invalid_argument);
  EXPECT_THROW(probability_best({{}}, {}), std::invalid_argument);
  EXPECT_THROW(probability_best({{1, 2}, {1}}, {}), std::invalid_argument);
}

}  // namespace
}  // namespace slopegan
