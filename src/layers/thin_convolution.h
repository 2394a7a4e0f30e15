#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

/// The transposed 4×4 convolution with stride 2 and padding 1 as one product of matrices over patches: what is quick
/// for thin layers where there are no tiled products (tiled_products.h). Maps are [N, C, H, W] on the CPU; a weight is
/// [low, high, 4, 4], as in strided_convolution.h.
namespace slopegan {

/// Whether that is quicker than oneDNN's convolution for `high` channels on the large maps.
bool is_thin(at::ScalarType type, std::int64_t high);

/// [N, low, H, W], float32 -> [N, high, 2H, 2W]. Where `bias` (float32 [high], contiguous) is defined, leaky_relu(sum +
/// bias, negative_slope).
at::Tensor transpose_thin(const at::Tensor& small, const at::Tensor& weight, const at::Tensor& bias = {},
                          double negative_slope = 1);

}  // namespace slopegan
