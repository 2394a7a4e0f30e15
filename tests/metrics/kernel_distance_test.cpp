#include "metrics/kernel_distance.h"

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

double kernel(const at::Tensor& a, const at::Tensor& b) {
  return std::pow(at::dot(a, b).item<double>() / static_cast<double>(a.size(0)) + 1, 3);
}

double mean_kernel_of_different_rows(const at::Tensor& x) {
  double sum = 0;
  for (std::int64_t i = 0; i < x.size(0); ++i) {
    for (std::int64_t j = 0; j < x.size(0); ++j) sum += i == j ? 0 : kernel(x[i], x[j]);
  }
  return sum / static_cast<double>(x.size(0) * (x.size(0) - 1));
}

TEST(KernelDistance, MatchesItsDefinitionForSetsOfDifferentSizes) {
  const at::Tensor x = normal_features(1, 13, 5), y = normal_features(2, 22, 5) + 0.5;
  double between = 0;
  for (std::int64_t i = 0; i < x.size(0); ++i) {
    for (std::int64_t j = 0; j < y.size(0); ++j) between += kernel(x[i], y[j]);
  }
  const double expected =
      mean_kernel_of_different_rows(x) + mean_kernel_of_different_rows(y) - 2 * between / (13.0 * 22.0);
  EXPECT_NEAR(kernel_distance(x, y), expected, 1e-12);
  EXPECT_NEAR(kernel_distance(y, x), expected, 1e-12);
}

TEST(KernelDistance, DoesNotDependOnTheNumberOfBlocks) {
  // For a set of two different rows, each repeated c times, the sums have closed forms. 1,600 rows need more than one
  // block.
  const std::int64_t c = 800;
  const at::Tensor a = at::tensor({1.0, 2.0}, at::kDouble), b = at::tensor({-1.0, 3.0}, at::kDouble);
  const at::Tensor x = at::stack({a, b}).repeat({c, 1}), y = at::zeros({2 * c + 3, 2}, at::kDouble);
  const auto n = static_cast<double>(2 * c), half = static_cast<double>(c);
  const double within =
      (half * (half - 1) * (kernel(a, a) + kernel(b, b)) + 2 * half * half * kernel(a, b)) / (n * (n - 1));
  EXPECT_NEAR(kernel_distance(x, y), within + 1 - 2, 1e-10 * within);
}

TEST(KernelDistance, IsUnbiased) {
  std::vector<double> distances;
  for (std::uint64_t pair = 0; pair < 60; ++pair) {
    distances.push_back(kernel_distance(normal_features(2 * pair, 100, 8), normal_features(2 * pair + 1, 60, 8)));
  }
  const Estimate found = estimate(distances);
  EXPECT_NEAR(found.mean, 0, 3 * found.standard_error);
  // The test must be able to detect the bias of a mean that includes the diagonal of the kernel matrix: the diagonal
  // elements are about (1 + 1)³, the others about 1.
  EXPECT_LT(3 * found.standard_error, 0.5 * 7 * (1.0 / 100 + 1.0 / 60));
}

TEST(KernelDistance, RejectsInvalidInputs) {
  const at::Tensor x = normal_features(8, 10, 3);
  EXPECT_THROW(kernel_distance(x, x.slice(0, 0, 1)), std::invalid_argument);
  EXPECT_THROW(kernel_distance(x.slice(0, 0, 1), x), std::invalid_argument);
  EXPECT_THROW(kernel_distance(x, x.slice(1, 0, 2)), std::invalid_argument);
  EXPECT_THROW(kernel_distance(x * 1e60, x * 1e60), std::invalid_argument);
}

}  // namespace
}  // namespace slopegan
