#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include <ATen/ATen.h>

#include "support/random.h"

namespace slopegan::testing {

/// Returns a float64 tensor [count, width] of samples from N(0, 1), which depend only on the arguments.
inline at::Tensor normal_features(std::uint64_t seed, std::int64_t count, std::int64_t width) {
  const at::Tensor values = at::empty({count, width}, at::kFloat);
  RandomStream(seed, "features").fill_normal({values.data_ptr<float>(), static_cast<std::size_t>(values.numel())});
  return values.to(at::kDouble);
}

/// Returns a float64 tensor [count, width] of integers from 0 to bound − 1. A small bound produces many equal rows and
/// distances.
inline at::Tensor whole_features(std::uint64_t seed, std::int64_t count, std::int64_t width, std::uint32_t bound) {
  const at::Tensor values = at::empty({count, width}, at::kDouble);
  RandomStream random(seed, "whole features");
  for (double& value : std::span(values.data_ptr<double>(), static_cast<std::size_t>(values.numel()))) {
    value = random.below(bound);
  }
  return values;
}

/// Returns the squared distances [N, M] between the rows of `a` and those of `b`. They are exact for integers.
inline at::Tensor squared_distances(const at::Tensor& a, const at::Tensor& b) {
  return (a.unsqueeze(1) - b.unsqueeze(0)).square().sum(2);
}

struct Estimate {
  double mean = 0;
  double standard_error = 0;
};

/// The mean of independent repetitions and its standard error.
inline Estimate estimate(const std::vector<double>& values) {
  const at::Tensor tensor = at::tensor(values);
  return {tensor.mean().item<double>(), tensor.std().item<double>() / std::sqrt(static_cast<double>(values.size()))};
}

}  // namespace slopegan::testing
