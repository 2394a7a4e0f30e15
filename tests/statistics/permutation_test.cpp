#include "statistics/permutation.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "statistics_numbers.h"
#include "support/random.h"

namespace slopegan {
namespace {

using Values = std::vector<double>;
using testing::infinite;

Values random_values(std::size_t count, std::uint64_t index, double shift = 0) {
  std::vector<float> drawn(count);
  RandomStream(13, "test groups", index).fill_normal(drawn);
  Values values(drawn.begin(), drawn.end());
  for (double& value : values) value += shift;
  return values;
}

/// The p-value, computed by enumerating all labellings.
double listed_p(const Values& control, const Values& group) {
  Values pooled = control;
  pooled.insert(pooled.end(), group.begin(), group.end());
  const auto difference = [&](const std::vector<int>& labels) {
    double sum = 0;
    for (std::size_t i = 0; i < pooled.size(); ++i) sum += labels[i] == 1 ? pooled[i] : -pooled[i];
    return std::abs(sum);
  };
  std::vector<int> labels(pooled.size());
  std::fill(labels.begin() + std::ssize(control), labels.end(), 1);
  const double observed = difference(labels);
  int count = 0, reaching = 0;
  do {
    ++count;
    reaching += difference(labels) >= observed - 1e-9;
  } while (std::next_permutation(labels.begin(), labels.end()));
  return static_cast<double>(reaching) / count;
}

TEST(PermutationTest, MatchesSciPy) {
  for (const auto& golden : testing::golden_statistics("permutation")) {
    const auto test = permutation_test(golden.at("control").get<Values>(), golden.at("group").get<Values>(),
                                       golden.at("level").get<double>());
    EXPECT_NEAR(test.p, golden.at("p").get<double>(), 1e-12) << golden;
    EXPECT_NEAR(test.interval.low, golden.at("limits").at(0).get<double>(), 1e-9) << golden;
    EXPECT_NEAR(test.interval.high, golden.at("limits").at(1).get<double>(), 1e-9) << golden;
  }
}

TEST(PermutationTest, MatchesAnEnumerationOfAllLabellings) {
  for (std::uint64_t i = 0; i < 40; ++i) {
    const std::size_t n = 1 + i % 6;
    const auto control = random_values(n, 2 * i), group = random_values(n, 2 * i + 1, 0.5);
    EXPECT_NEAR(permutation_test(control, group, 0.05).p, listed_p(control, group), 1e-12) << i;
  }
  // Ties.
  EXPECT_NEAR(permutation_test(Values{0, 0, 1}, Values{1, 1, 1}, 0.05).p, listed_p({0, 0, 1}, {1, 1, 1}), 1e-12);
}

TEST(PermutationTest, ReturnsTheSmallestPForGroupsThatDoNotOverlap) {
  EXPECT_EQ(smallest_permutation_p(1), 1);
  EXPECT_NEAR(smallest_permutation_p(4), 2.0 / 70, 1e-15);
  EXPECT_NEAR(smallest_permutation_p(6), 2.0 / 924, 1e-15);
  EXPECT_NEAR(smallest_permutation_p(10), 2.0 / 184'756, 1e-15);
  EXPECT_EQ(smallest_permuted_group(2.0 / 70), 4);
  EXPECT_EQ(smallest_permuted_group(0.03 / 7), 6);
  for (const std::size_t n : {1u, 2u, 6u, 10u, 14u}) {
    const auto test = permutation_test(random_values(n, n), random_values(n, 50 + n, 100), 0.05);
    EXPECT_NEAR(test.p, smallest_permutation_p(static_cast<std::int64_t>(n)), 1e-12) << n;
  }
  EXPECT_EQ(permutation_test(Values{3, 3, 3}, Values{3, 3, 3}, 0.05).p, 1);
}

TEST(PermutationTest, DoesNotDependOnTheOrderOrTheUnit) {
  const Values control = random_values(7, 1), group = random_values(7, 2, 1);
  const auto test = permutation_test(control, group, 0.01);
  Values reversed(group.rbegin(), group.rend()), scaled_control, scaled_group;
  EXPECT_EQ(permutation_test(control, reversed, 0.01).p, test.p);
  for (const double value : control) scaled_control.push_back(5 - 3 * value);
  for (const double value : group) scaled_group.push_back(5 - 3 * value);
  const auto scaled = permutation_test(scaled_control, scaled_group, 0.01);
  EXPECT_EQ(scaled.p, test.p);
  EXPECT_NEAR(scaled.interval.low, -3 * test.interval.high, 1e-9);
  EXPECT_NEAR(scaled.interval.high, -3 * test.interval.low, 1e-9);
}

TEST(PermutationTest, ExcludesZeroFromTheIntervalExactlyWhenItRejects) {
  int rejected = 0;
  for (std::uint64_t i = 0; i < 400; ++i) {
    const std::size_t n = 4 + i % 3;
    auto control = random_values(n, 1000 + i), group = random_values(n, 2000 + i, 1.2);
    if (i % 4 == 0) {  // ties
      for (auto* values : {&control, &group}) {
        for (double& value : *values) value = std::round(2 * value) / 10;
      }
    }
    const double level = i % 2 == 0 ? 0.05 : 0.2;
    const auto test = permutation_test(control, group, level);
    EXPECT_EQ(test.interval.low > 0 || test.interval.high < 0, test.p <= level) << i << ": p = " << test.p;
    EXPECT_LE(test.interval.low, test.difference);
    EXPECT_GE(test.interval.high, test.difference);
    rejected += test.p <= level;
  }
  EXPECT_GT(rejected, 80);
  EXPECT_LT(rejected, 320);
}

TEST(PermutationTest, HasTheNominalCoverage) {
  // With 4 values per group, a level of 0.1 rejects 6 of the 70 labellings.
  constexpr int trials = 4000;
  constexpr double covered = 1 - 6.0 / 70;
  int hits = 0;
  for (std::uint64_t i = 0; i < trials; ++i) {
    const auto test = permutation_test(random_values(4, 10'000 + 2 * i), random_values(4, 10'001 + 2 * i, 0.7), 0.1);
    hits += test.interval.low <= 0.7 && 0.7 <= test.interval.high;
  }
  EXPECT_NEAR(hits, trials * covered, testing::hits_tolerance(trials, covered));
}

TEST(PermutationTest, HasAnUnboundedIntervalIfNoPCanReachTheLevel) {
  const auto test = permutation_test(Values{1, 2, 3}, Values{11, 12, 13}, 0.05);
  EXPECT_EQ(test.interval.low, -infinite);
  EXPECT_EQ(test.interval.high, infinite);
}

TEST(PermutationTest, ThrowsForGroupsThatItCannotCompare) {
  EXPECT_THROW(permutation_test(Values{}, Values{}, 0.05), std::invalid_argument);
  EXPECT_THROW(permutation_test(Values{1, 2}, Values{1}, 0.05), std::invalid_argument);
  EXPECT_THROW(permutation_test(Values{1}, Values{infinite}, 0.05), std::invalid_argument);
  EXPECT_THROW(permutation_test(Values(15, 1), Values(15, 2), 0.05), std::invalid_argument);
}

}  // namespace
}  // namespace slopegan
