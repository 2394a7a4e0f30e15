#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "layers/prepared_weight.h"

namespace slopegan {

/// The transposed convolution of strided_convolution.h where nothing is learned any more: its weight is laid out once
/// as the quickest product for the shape wants it, and the bias and the leaky rectifier are applied as the results are
/// written or while they are in the cache. No gradients.
class FixedTransposedConvolution {
 public:
  /// weight [low, high, 4, 4] and bias [high] in float32; `type`, the dtype of the maps: float32 or bfloat16.
  /// negative_slope from 0 upwards; 1 is the identity. Throws c10::Error for anything else.
  FixedTransposedConvolution(const at::Tensor& weight, const at::Tensor& bias, at::ScalarType type,
                             double negative_slope);

  /// [N, low, H, W] -> [N, high, 2H, 2W], channels-last: leaky_relu(transposed convolution + bias).
  at::Tensor operator()(const at::Tensor& maps) const;

 private:
  at::Tensor by_onednn(const at::Tensor& maps) const;

  std::int64_t low_, high_;
  double negative_slope_;
  at::Tensor bias_;  // float32
  PreparedWeightPtr weight_;
  at::Tensor packed_;  // as oneDNN wants it; undefined where LibTorch has no oneDNN
};

}  // namespace slopegan
