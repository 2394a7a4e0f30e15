#include "metrics/frechet_distance.h"

#include <cmath>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "metrics/random_features.h"

namespace slopegan {
namespace {

using testing::estimate;
using testing::Estimate;
using testing::normal_features;

Moments gaussian(const std::vector<double>& mean, const std::vector<double>& covariance) {
  const auto width = static_cast<std::int64_t>(mean.size());
  return {at::tensor(mean), at::tensor(covariance).view({width, width}), 100};
}

TEST(FrechetDistance, MatchesTheClosedFormForIndependentFeatures) {
  const Moments a = gaussian({1, 2}, {4, 0, 0, 9}), b = gaussian({3, 5}, {25, 0, 0, 1});
  EXPECT_NEAR(frechet_distance(a, b), 4 + 9 + (2 - 5) * (2 - 5) + (3 - 1) * (3 - 1), 1e-13);
}

TEST(FrechetDistance, MatchesTheClosedFormForCovariancesThatDoNotCommute) {
  // tr (AB)^½ of 2 × 2 matrices is √(tr AB + 2 √det AB) by the Cayley–Hamilton theorem.
  const double root = std::sqrt((2 * 3 + 1 * -1 + 1 * -1 + 2 * 1) + 2 * std::sqrt(3.0 * 2.0));
  const Moments a = gaussian({0, 0}, {2, 1, 1, 2}), b = gaussian({0, 0}, {3, -1, -1, 1});
  EXPECT_NEAR(frechet_distance(a, b), 4 + 4 - 2 * root, 1e-13);
  EXPECT_NEAR(frechet_distance(b, a), 4 + 4 - 2 * root, 1e-13);
}

TEST(FrechetDistance, MatchesTheClosedFormForCovariancesOfRankOne) {
  // For the covariances uuᵀ and vvᵀ, the distance is |u|² + |v|² − 2 |u·v|. Here, u = (1, 2, 2) and v = (2, −1, 4).
  const Moments a = gaussian({0, 0, 0}, {1, 2, 2, 2, 4, 4, 2, 4, 4});
  const Moments b = gaussian({0, 0, 0}, {4, -2, 8, -2, 1, -4, 8, -4, 16});
  EXPECT_NEAR(frechet_distance(a, b), 9 + 21 - 2 * 8, 1e-13);
  EXPECT_NEAR(frechet_distance(a, gaussian({0, 0, 3}, std::vector<double>(9, 0))), 9 + 9, 1e-13);
}

TEST(FrechetDistance, IsZeroForEqualSetsOfAnyRank) {
  for (const std::int64_t count : {2, 20, 500}) {
    const Moments moments = moments_of(normal_features(1, count, 64) * 10);
    EXPECT_NEAR(frechet_distance(moments, moments), 0, 1e-10) << count;
  }
}

TEST(FrechetDistance, EqualsItsBiasForTwoSamplesOfOneGaussian) {
  const std::int64_t width = 16, count = 2000;
  EXPECT_NEAR(frechet_bias(at::eye(width), count, count), 0.0840, 1e-12);
  const at::Tensor deviations = at::linspace(0.2, 2, width, at::kDouble);
  const struct {
    at::Tensor deviations;
    std::uint64_t seed;
  } cases[] = {{at::ones({width}, at::kDouble), 100}, {deviations, 200}};
  for (const auto& [scale, seed] : cases) {
    std::vector<double> distances;
    for (std::uint64_t pair = 0; pair < 20; ++pair) {
      distances.push_back(frechet_distance(moments_of(normal_features(seed + 2 * pair, count, width) * scale),
                                           moments_of(normal_features(seed + 2 * pair + 1, count, width) * scale)));
    }
    const Estimate found = estimate(distances);
    const double expected = frechet_bias(scale.square().diag(), count, count);
    // The next-order term is smaller by a factor of about width / count.
    EXPECT_NEAR(found.mean, expected, 4 * found.standard_error + 0.02 * expected);
    EXPECT_LT(found.standard_error, 0.03 * expected) << "too few pairs to tell";
  }
}

TEST(FrechetDistance, OfSamplesIsTheTrueDistanceUpToTheBias) {
  const std::int64_t width = 8, count = 4000;
  std::vector<double> distances;
  for (std::uint64_t pair = 0; pair < 10; ++pair) {
    distances.push_back(frechet_distance(moments_of(normal_features(2 * pair, count, width)),
                                         moments_of(normal_features(2 * pair + 1, count, width) * 1.5 + 0.25)));
  }
  const Estimate found = estimate(distances);
  const double expected = width * (0.25 * 0.25 + 0.5 * 0.5);
  EXPECT_NEAR(found.mean, expected, 4 * found.standard_error + frechet_bias(at::eye(width) * 1.5 * 1.5, count, count));
  EXPECT_LT(found.standard_error, 0.02 * expected) << "too few pairs to tell";
}

TEST(FrechetBias, MatchesItsSumOverEigenvalues) {
  const std::vector<double> values = {0.5, 2, 0, 7};
  double sum = 0;
  for (const double a : values) sum += a;
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = 0; j < values.size(); ++j) {
      if (values[i] * values[j] == 0) continue;
      sum += 0.5 * (i == j ? 2 : 1) * values[i] * values[j] / (values[i] + values[j]);
    }
  }
  // The rotation makes the matrix non-diagonal.
  const auto [rotation, upper] = at::linalg_qr(normal_features(3, 4, 4));
  const at::Tensor covariance = at::mm(rotation * at::tensor(values), rotation.t());
  EXPECT_NEAR(frechet_bias(covariance, 100, 300), (1.0 / 100 + 1.0 / 300) * sum, 1e-12);
}

TEST(FrechetDistance, RejectsInvalidInputs) {
  EXPECT_THROW(frechet_distance(gaussian({0}, {1}), gaussian({0, 0}, {1, 0, 0, 1})), std::invalid_argument);
  const Moments overflow = moments_of(normal_features(4, 10, 2) * 1e200);
  EXPECT_THROW(frechet_distance(overflow, overflow), std::invalid_argument);
  EXPECT_THROW(frechet_bias(at::eye(2), 1, 100), std::invalid_argument);
  EXPECT_THROW(frechet_bias(at::eye(2), 100, 1), std::invalid_argument);
}

}  // namespace
}  // namespace slopegan
