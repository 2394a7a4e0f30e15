#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "layers/strided_convolution.h"

/// The convolutions of strided_convolution.h and the gradient of their weight as matrix products of patches, and the
/// conditions under which these products are used instead of LibTorch's convolutions.
///
/// Tiled products multiply tiles that stay in the cache: patches are gathered, multiplied with oneDNN's kernels for
/// small matrices (LibTorch's cpublas::brgemm) and accumulated one tile at a time; the full patch matrix never exists
/// in memory. These kernels reach the processor's peak, whereas MKL's float32 GEMM reaches only 40 % of it on AMD
/// processors.
///
/// Feature maps are channels-last, `big` [N, high, 2H, 2W] and `small` [N, low, H, W], in float32 or bfloat16; sums are
/// accumulated in float32.
namespace slopegan {

/// Returns the maps [N, C, H, W] in channels-last memory format, without a copy if they already have this format.
inline at::Tensor channels_last(const at::Tensor& maps) { return maps.contiguous(at::MemoryFormat::ChannelsLast); }

/// The sizes of a product: the batch size, the channels on both sides, and the height and width of the small feature
/// maps.
struct ProductShape {
  std::int64_t count = 0, low = 0, high = 0, height = 0, width = 0;
};

/// Whether the processor and LibTorch support the tiled product, and the tiled product is faster than oneDNN's
/// convolution. The three functions are for big -> small, small -> big, and the gradient of the weight. In bfloat16 the
/// summed dimension must be even.
bool convolves_in_tiles(at::ScalarType type, const ProductShape& shape);
bool transposes_in_tiles(at::ScalarType type, const ProductShape& shape);
bool correlates_in_tiles(at::ScalarType type, const ProductShape& shape);

/// big -> small.
at::Tensor convolve_in_tiles(const at::Tensor& big, PreparedWeight& weight, std::int64_t low);

/// small -> big with `high` channels: leaky_relu(sum + bias, negative_slope) if `bias` (float32 [high], contiguous) is
/// defined, otherwise the sum.
at::Tensor transpose_in_tiles(const at::Tensor& small, PreparedWeight& weight, std::int64_t high,
                              const at::Tensor& bias = {}, double negative_slope = 1);

/// The gradient of the weight, [low, high, 4, 4], float32, contiguous.
at::Tensor correlate_in_tiles(const at::Tensor& big, const at::Tensor& small);

/// Whether transpose_thin is faster than oneDNN's convolution, for machines that do not support tiled products.
bool is_thin(at::ScalarType type, std::int64_t high);

/// small -> big in float32 as one matrix product over all patches. weight: [low, high, 4, 4]; bias and negative_slope
/// as for transpose_in_tiles.
at::Tensor transpose_thin(const at::Tensor& small, const at::Tensor& weight, const at::Tensor& bias = {},
                          double negative_slope = 1);

}  // namespace slopegan
