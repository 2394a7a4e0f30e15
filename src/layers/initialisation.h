#pragma once

#include <cstdint>
#include <string_view>

#include <ATen/core/Tensor.h>

namespace slopegan {

/// sqrt(2 / (1 + a²)): the gain that keeps the variance through a layer whose inputs passed a leaky rectifier of slope
/// a (He et al. 2015, with Maas et al.'s activation). ReLU: sqrt 2; the identity: 1.
double leaky_relu_gain(double negative_slope);

/// Overwrites `weight` with mean + std · N(0, 1), drawn in float32 from the stream (seed, name): the same normals
/// whatever the std, the dtype and the device are. In row-major order of the shape, whatever the memory format.
void fill_normal(at::Tensor& weight, double mean, double std, std::uint64_t seed, std::string_view name);

}  // namespace slopegan
