#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace slopegan {

/// What batch norm in training reads and changes, [C] each, in float32 (float64 for float64 maps).
struct BatchNormState {
  at::Tensor weight, bias;
  at::Tensor running_mean, running_variance;  ///< moved on by every call
  double momentum = 0.1;
  double epsilon = 1e-5;
};

/// leaky_relu(batch norm in training(maps)) (Ioffe and Szegedy 2015) in one pass forwards, behind the one that takes
/// the statistics, and two backwards; of the two functions' intermediate results none is written to memory. Of the maps
/// alone is kept what the backward pass needs. Twice differentiable in maps, weight and bias.
///
/// maps: [N, C, H, W], float32, float64 or bfloat16 on the CPU; of memory formats channels-last is the quick one, and
/// what comes out. Everything between is computed in float32 (float64), so that a bfloat16 result is rounded once.
/// Throws c10::Error (ValueError) for other dtypes, a slope that is not finite, and where a channel has one value only,
/// which has no variance.
at::Tensor batch_norm_leaky_relu(const at::Tensor& maps, const BatchNormState& norm, double negative_slope);

}  // namespace slopegan
