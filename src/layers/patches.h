#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

/// The 4×4 convolution with stride 2 and padding 1 as products of matrices over patches, and where that is quicker than
/// oneDNN's convolutions. Maps are [N, C, H, W] on the CPU; a weight is [low, high, 4, 4], as in strided_convolution.h.
namespace slopegan {

at::Tensor channels_last(const at::Tensor& maps);

/// [N, C, 2H, 2W], float32 or bfloat16 -> [N·H·W, 16·C].
at::Tensor gather_patches(const at::Tensor& maps);

/// [N·H·W, 16·C], float32 or bfloat16 -> [N, C, 2H, 2W]: the sums, in float32, of what the patches have at each place.
/// Where `bias` (float32 [C]) is defined, leaky_relu(sum + bias, negative_slope).
at::Tensor scatter_patches(const at::Tensor& patches, std::int64_t count, std::int64_t channels, std::int64_t h,
                           std::int64_t w, const at::Tensor& bias = {}, double negative_slope = 1);

/// [N, C, H, W] -> [N·H·W, C].
at::Tensor rows_of(const at::Tensor& maps);

/// [low, high, 4, 4] -> [low, 16·high].
at::Tensor rows_of_weight(const at::Tensor& weight);

/// Which way is the quicker one for maps of this dtype, `high` channels on the large maps and `places` = N·H·W values a
/// channel on the small ones: true for a product over patches. Forwards, transposed, and for the weight's gradient.
bool convolves_patches(at::ScalarType type, std::int64_t high, std::int64_t places);
bool transposes_patches(at::ScalarType type, std::int64_t high, std::int64_t places);
bool correlates_patches(at::ScalarType type, std::int64_t high, std::int64_t places);

}  // namespace slopegan
