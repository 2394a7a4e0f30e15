#include "metrics/kernel_distance.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>

#include <ATen/ATen.h>

#include "metrics/features.h"

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

}  // namespace

double kernel_distance(const at::Tensor& x, const at::Tensor& y) {
  const at::Tensor first = checked_features(x, 2, "the first set"), second = checked_features(y, 2, "the second set");
  check_same_width(first, second);
  return unbiased_distance(first, second);
}

}  // namespace slopegan
