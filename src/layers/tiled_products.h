#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "layers/prepared_weight.h"

/// The products of strided_convolution.h as products of small matrices that stay in the cache: patches are made,
/// multiplied by oneDNN's kernels for small matrices (LibTorch's cpublas::brgemm, which reach the peak where MKL's
/// products in float32 stay at 40 % of it on AMD) and added up a tile at a time, and never lie in memory.
///
/// Maps are channels-last, `big` [N, high, 2H, 2W] and `small` [N, low, H, W], in float32 or bfloat16; sums are taken
/// in float32.
namespace slopegan {

/// Of the maps of a product: their number, their channels, and height and width of a small one.
struct ProductShape {
  std::int64_t count = 0, low = 0, high = 0, height = 0, width = 0;
};

/// Whether this processor and this LibTorch, as it is set up, can do a product so, and do it quicker than oneDNN's
/// convolutions: big -> small, small -> big, and the weight's gradient. What is summed over in bfloat16 has to be even.
bool convolves_in_tiles(at::ScalarType type, const ProductShape& shape);
bool transposes_in_tiles(at::ScalarType type, const ProductShape& shape);
bool correlates_in_tiles(at::ScalarType type, const ProductShape& shape);

/// big -> small.
at::Tensor convolve_in_tiles(const at::Tensor& big, PreparedWeight& weight, std::int64_t low);

/// small -> big, with `high` channels. Where `bias` (float32 [high], contiguous) is defined, leaky_relu(sum + bias,
/// negative_slope).
at::Tensor transpose_in_tiles(const at::Tensor& small, PreparedWeight& weight, std::int64_t high,
                              const at::Tensor& bias = {}, double negative_slope = 1);

/// The gradient of the weight, [low, high, 4, 4], float32, contiguous.
at::Tensor correlate_in_tiles(const at::Tensor& big, const at::Tensor& small);

}  // namespace slopegan
