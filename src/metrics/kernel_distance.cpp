#include "metrics/kernel_distance.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <ATen/ATen.h>

#include "metrics/features.h"
#include "support/random.h"

namespace slopegan {

namespace {

/// Returns the number of rows whose products with `columns` rows take 16 MiB.
std::int64_t rows_per_block(std::int64_t columns) { return std::max<std::int64_t>(2'097'152 / columns, 16); }

/// Evaluates the kernel for all pairs of rows.
at::Tensor kernel_matrix(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor inner = at::mm(a, b.t()).div_(static_cast<double>(a.size(1))).add_(1);
  return inner.pow_(3);
}

double sum_between(const at::Tensor& x, const at::Tensor& y) {
  double sum = 0;
  for (const at::Tensor& block : x.split(rows_per_block(y.size(0))))
    sum += kernel_matrix(block, y).sum().item<double>();
  return sum;
}

/// Sums the kernel over pairs of different rows. Each unordered pair is computed once, except within a block.
double sum_within(const at::Tensor& x) {
  double sum = 0;
  std::int64_t begin = 0;
  for (const at::Tensor& block : x.split(rows_per_block(x.size(0)))) {
    const at::Tensor own = kernel_matrix(block, block);
    sum += (own.sum() - own.trace()).item<double>();
    begin += block.size(0);
    if (begin < x.size(0)) sum += 2 * kernel_matrix(block, x.slice(0, begin)).sum().item<double>();
  }
  return sum;
}

double unbiased_distance(const at::Tensor& x, const at::Tensor& y) {
  const auto n = static_cast<double>(x.size(0)), m = static_cast<double>(y.size(0));
  const double distance =
      sum_within(x) / (n * (n - 1)) + sum_within(y) / (m * (m - 1)) - 2 * sum_between(x, y) / (n * m);
  if (!std::isfinite(distance)) throw std::invalid_argument("the features are too large: their kernel overflows");
  return distance;
}

/// Returns `size` rows drawn without replacement.
at::Tensor subset(const at::Tensor& features, std::int64_t size, std::uint64_t seed, const char* stream,
                  std::int64_t index) {
  const auto order =
      keyed_permutation(seed, stream, static_cast<std::uint64_t>(index), static_cast<std::uint32_t>(features.size(0)));
  const at::Tensor rows = at::empty({size}, at::kLong);
  std::copy_n(order.begin(), size, rows.data_ptr<std::int64_t>());
  return features.index_select(0, rows);
}

}  // namespace

double kernel_distance(const at::Tensor& x, const at::Tensor& y) {
  const at::Tensor first = checked_features(x, 2, "the first set"), second = checked_features(y, 2, "the second set");
  check_same_width(first, second);
  return unbiased_distance(first, second);
}

KernelDistanceSubsets kernel_distance_of_subsets(const at::Tensor& x, const at::Tensor& y, std::int64_t count,
                                                 std::int64_t size, std::uint64_t seed) {
  if (count < 1 || size < 2) throw std::invalid_argument("subsets need a count of at least 1 and a size of at least 2");
  const at::Tensor first = checked_features(x, size, "the first set");
  const at::Tensor second = checked_features(y, size, "the second set");
  check_same_width(first, second);
  const at::Tensor distances = at::empty({count}, at::kDouble);
  for (std::int64_t i = 0; i < count; ++i) {
    distances[i] = unbiased_distance(subset(first, size, seed, "kernel_distance.first", i),
                                     subset(second, size, seed, "kernel_distance.second", i));
  }
  return {distances.mean().item<double>(), distances.std(/*unbiased=*/false).item<double>()};
}

}  // namespace slopegan
