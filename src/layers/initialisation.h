#pragma once

#include <cstdint>
#include <string_view>

#include <ATen/core/Tensor.h>

namespace slopegan {

/// sqrt(2 / (1 + a²)), the gain that preserves the variance through a layer whose inputs come from a leaky rectifier
/// with slope a (He et al. 2015). It is sqrt 2 for ReLU and 1 for the identity.
double leaky_relu_gain(double negative_slope);

/// Overwrites `weight` with mean + std · N(0, 1), drawn in float32 from the stream (seed, name) in row-major order of
/// the shape. The random draws do not depend on std, dtype, device or memory format.
void fill_normal(at::Tensor& weight, double mean, double std, std::uint64_t seed, std::string_view name);

}  // namespace slopegan
