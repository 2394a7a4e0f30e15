#include "metrics/manifold.h"

#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "metrics/random_features.h"

namespace slopegan {
namespace {

using testing::estimate;
using testing::Estimate;
using testing::normal_features;
using testing::squared_distances;
using testing::whole_features;

ManifoldMetrics compare(const at::Tensor& real, const at::Tensor& generated) {
  return manifold_metrics(manifold_of(real), manifold_of(generated));
}

/// Evaluates the definitions in the papers (see metrics/manifold.h) on full matrices of exact distances.
ManifoldMetrics by_definition(const at::Tensor& real, const at::Tensor& generated) {
  const auto radii = [](const at::Tensor& points, std::int64_t k) {
    return std::get<0>(squared_distances(points, points).sort(1)).select(1, k);
  };
  const at::Tensor distances = squared_distances(real, generated);
  const auto mean = [](const at::Tensor& flags) { return flags.to(at::kDouble).mean().item<double>(); };
  const at::Tensor inside = distances < radii(real, 5).unsqueeze(1);
  return {mean((distances <= radii(real, 3).unsqueeze(1)).any(0)), mean((distances <= radii(generated, 3)).any(1)),
          mean(inside) * static_cast<double>(real.size(0)) / 5, mean(inside.any(1))};
}

TEST(Manifold, MetricsMatchTheirDefinitionsOnSetsWithManyTies) {
  // The last case needs more than one block.
  const struct {
    std::int64_t reals, samples;
    std::uint32_t bound;
  } cases[] = {{300, 200, 2}, {300, 200, 4}, {200, 300, 12}, {1700, 1500, 20}};
  for (const auto& [reals, samples, bound] : cases) {
    const at::Tensor real = whole_features(1, reals, 3, bound), generated = whole_features(2, samples, 3, bound) + 1;
    const ManifoldMetrics found = compare(real, generated), expected = by_definition(real, generated);
    EXPECT_DOUBLE_EQ(found.precision, expected.precision) << bound;
    EXPECT_DOUBLE_EQ(found.recall, expected.recall) << bound;
    EXPECT_DOUBLE_EQ(found.density, expected.density) << bound;
    EXPECT_DOUBLE_EQ(found.coverage, expected.coverage) << bound;
  }
}

TEST(Manifold, BallsAreClosedForPrecisionAndOpenForDensity) {
  // With three neighbours, the ball around 0 has radius 3 and ends at -3; the other balls end at -1, 0 and 0.
  const at::Tensor real = at::tensor({0.0, 1.0, 2.0, 3.0}, at::kDouble).view({4, 1});
  const at::Tensor generated = at::tensor({-3.0, -3.0, -3.0, -3.0}, at::kDouble).view({4, 1});
  const ManifoldMetrics found = manifold_metrics(manifold_of(real, 3, 3), manifold_of(generated, 3, 3));
  EXPECT_EQ(found.precision, 1);
  EXPECT_EQ(found.recall, 0);
  EXPECT_EQ(found.density, 0);
  EXPECT_EQ(found.coverage, 0);
}

TEST(Manifold, DensityOfACopyIsExactlyOne) {
  // A ball contains the copies of its centre and of the k − 1 nearest neighbours. The copy of the k-th neighbour lies
  // exactly on its surface.
  for (const double offset : {0.0, 1e6}) {
    const at::Tensor features = normal_features(3, 1000, 33) + offset;
    const ManifoldMetrics found = compare(features, features.flip(0));
    EXPECT_EQ(found.precision, 1);
    EXPECT_EQ(found.recall, 1);
    EXPECT_EQ(found.density, 1);
    EXPECT_EQ(found.coverage, 1);
  }
}

/// Returns the expected coverage for two sets of n samples from one continuous distribution:
/// 1 − Π_{j=1..k} (n − j)/(2n − j).
double expected_coverage(std::int64_t n, std::int64_t neighbours = 5) {
  double missed = 1;
  for (std::int64_t j = 1; j <= neighbours; ++j) missed *= static_cast<double>(n - j) / static_cast<double>(2 * n - j);
  return 1 - missed;
}

TEST(Manifold, TwoSamplesOfOneDistributionHaveTheExpectedDensityAndCoverage) {
  EXPECT_NEAR(expected_coverage(100'000), 1 - 1.0 / 32, 1e-5);
  EXPECT_DOUBLE_EQ(expected_coverage(2, 1), 1 - 1.0 / 3);
  const std::int64_t count = 300;
  std::vector<double> densities, coverages;
  for (std::uint64_t pair = 0; pair < 30; ++pair) {
    const ManifoldMetrics found =
        compare(normal_features(100 + 2 * pair, count, 4), normal_features(101 + 2 * pair, count, 4));
    densities.push_back(found.density);
    coverages.push_back(found.coverage);
  }
  const Estimate density = estimate(densities), coverage = estimate(coverages);
  EXPECT_NEAR(density.mean, 1, 3 * density.standard_error);
  EXPECT_LT(density.standard_error, 0.02) << "too few pairs to tell";
  EXPECT_NEAR(coverage.mean, expected_coverage(count), 3 * coverage.standard_error);
  EXPECT_LT(coverage.standard_error, 0.005) << "too few pairs to tell";
}

TEST(Manifold, ALostModeReducesRecallAndCoverageButNotPrecision) {
  const at::Tensor centres = at::tensor({0.0, 100.0}, at::kDouble);
  const at::Tensor real = normal_features(4, 400, 2) + centres.repeat({200}).unsqueeze(1);
  const ManifoldMetrics found = compare(real, normal_features(5, 400, 2));
  EXPECT_GT(found.precision, 0.9);
  EXPECT_NEAR(found.recall, 0.5, 0.05);
  EXPECT_LE(found.coverage, 0.5);
}

TEST(Manifold, MetricsOfDistantSamplesAreZero) {
  const ManifoldMetrics found = compare(normal_features(6, 100, 3), normal_features(7, 50, 3) + 1000);
  EXPECT_EQ(found.precision + found.recall + found.density + found.coverage, 0);
}

TEST(Manifold, RejectsInvalidInputs) {
  EXPECT_THROW(manifold_of(normal_features(8, 5, 2)), std::invalid_argument);
  EXPECT_NO_THROW(manifold_of(normal_features(8, 6, 2)));
  const Manifold manifold = manifold_of(normal_features(8, 10, 2));
  EXPECT_THROW(manifold_metrics(manifold, manifold_of(normal_features(8, 10, 3))), std::invalid_argument);
  EXPECT_THROW(manifold_metrics(manifold, manifold_of(normal_features(8, 10, 2), 3, 4)), std::invalid_argument);
  EXPECT_THROW(manifold_metrics(manifold, manifold_of(normal_features(8, 10, 2), 4, 5)), std::invalid_argument);
}

}  // namespace
}  // namespace slopegan
