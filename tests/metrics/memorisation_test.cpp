#include "metrics/memorisation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "metrics/neighbours.h"
#include "metrics/random_features.h"

namespace slopegan {
namespace {

using testing::estimate;
using testing::Estimate;
using testing::normal_features;

std::vector<double> count_up(int from, int count) {
  std::vector<double> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), from);
  return values;
}

TEST(Memorisation, UsesTheNearestOnePercentOfTheTestSamples) {
  const Memorisation found = memorisation(count_up(0, 50), count_up(1, 300));
  EXPECT_EQ(found.copy_distance, 3);        // the third smallest test distance; 3 is 1 % of 300
  EXPECT_EQ(found.copied_share, 4.0 / 50);  // the distances 0, 1, 2 and 3
  EXPECT_EQ(memorisation(count_up(0, 50), count_up(5, 20)).copy_distance, 5);
  EXPECT_EQ(memorisation(count_up(0, 50), count_up(1, 700)).copy_distance, 7);
  EXPECT_EQ(memorisation(count_up(0, 50), count_up(1, 701)).copy_distance, 8);
}

TEST(Memorisation, DetectsCopiesEvenIfOneInAHundredTestSamplesIsACopy) {
  std::vector<double> test = count_up(0, 100);
  const Memorisation found = memorisation({0, 0, 7}, test);
  EXPECT_EQ(found.copy_distance, 0);
  EXPECT_DOUBLE_EQ(found.copied_share, 2.0 / 3);
}

/// Returns the z-score of U, which is counted pair by pair; a tie counts one half.
double z_by_definition(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> all = a;
  all.insert(all.end(), b.begin(), b.end());
  double u = 0, ties = 0;
  for (const double x : a) {
    for (const double y : b) u += x > y ? 1 : x == y ? 0.5 : 0;
  }
  for (const double x : all) {  // each of t equal values contributes t² − 1
    const auto equal = static_cast<double>(std::count(all.begin(), all.end(), x));
    ties += equal * equal - 1;
  }
  const auto n = static_cast<double>(a.size()), m = static_cast<double>(b.size());
  const double variance = n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1)));
  return (u - n * m / 2) / std::sqrt(variance);
}

TEST(Memorisation, ZMatchesTheMannWhitneyTestWithTies) {
  RandomStream random(1, "distances");
  for (int trial = 0; trial < 50; ++trial) {
    std::vector<double> a(1 + random.below(30)), b(1 + random.below(30));
    for (double& value : a) value = random.below(12);
    for (double& value : b) value = 1 + random.below(9);
    a.push_back(99);  // not all values are equal
    EXPECT_NEAR(memorisation(a, b).copying_z, z_by_definition(a, b), 1e-12);
  }
  // Here n = m = 4 and there are no ties, so U is 0 and its variance is 16 · 9 / 12.
  EXPECT_NEAR(memorisation(count_up(0, 4), count_up(4, 4)).copying_z, -8 / std::sqrt(12.0), 1e-14);
  EXPECT_EQ(memorisation({2, 2}, {2, 2, 2}).copying_z, 0);
}

TEST(Memorisation, FreshSamplesScoreLikeTestSamples) {
  const at::Tensor train = normal_features(2, 2000, 4);
  std::vector<double> shares, scores;
  for (std::uint64_t trial = 0; trial < 20; ++trial) {
    const Memorisation found = memorisation(nearest_distances(normal_features(100 + trial, 500, 4), train),
                                            nearest_distances(normal_features(200 + trial, 500, 4), train));
    shares.push_back(found.copied_share);
    scores.push_back(found.copying_z);
  }
  const Estimate share = estimate(shares), z = estimate(scores);
  EXPECT_NEAR(share.mean, 0.01, 3 * share.standard_error);
  EXPECT_LT(share.standard_error, 0.003) << "too few trials to tell";
  EXPECT_NEAR(z.mean, 0, 3 / std::sqrt(20.0));  // each score is distributed like N(0, 1)
}

TEST(Memorisation, IncreasesWithTheFractionOfCopies) {
  const at::Tensor train = normal_features(3, 2000, 4);
  const auto test = nearest_distances(normal_features(4, 1000, 4), train);
  double last_z = std::numeric_limits<double>::infinity();
  for (const std::int64_t copies : {0, 100, 300, 1000}) {
    at::Tensor generated = normal_features(5, 1000, 4);
    generated.slice(0, 0, copies).copy_(train.slice(0, 0, copies));
    const Memorisation found = memorisation(nearest_distances(generated, train), test);
    EXPECT_NEAR(found.copied_share, static_cast<double>(copies) / 1000, 0.02) << copies;
    EXPECT_LT(found.copying_z, last_z) << copies;
    last_z = found.copying_z;
  }
  EXPECT_LT(last_z, -30);
}

TEST(Memorisation, RejectsInvalidDistances) {
  EXPECT_THROW(memorisation({}, {1}), std::invalid_argument);
  EXPECT_THROW(memorisation({1}, {}), std::invalid_argument);
  EXPECT_THROW(memorisation({std::numeric_limits<double>::quiet_NaN()}, {1}), std::invalid_argument);
}

}  // namespace
}  // namespace slopegan
