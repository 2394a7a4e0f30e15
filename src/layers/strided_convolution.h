#pragma once

#include <ATen/core/Tensor.h>

#include "layers/prepared_weight.h"

/// The convolution that DCGANs are made of, 4×4 with stride 2 and padding 1, and its transpose (Radford et al. 2016).
///
/// LibTorch's own are near the machine's peak for wide layers and far from it for thin ones (an image's one or three
/// channels), for weight gradients, and where the maps are small. Where the processor can (tiled_products.h), these are
/// products over patches in the cache; elsewhere LibTorch's, but for the thin transposed ones. The choice depends on
/// shapes, dtype and processor alone. Both functions may be differentiated any number of times, in both arguments.
///
/// Maps are [N, C, H, W] in float32, float64 or bfloat16 on the CPU; of memory formats channels-last is the quick one,
/// and what comes out. A weight is [low, high, 4, 4], `low` the channels on the side of the small maps; it may have a
/// wider dtype than the maps, is cast to theirs for the product, and its gradient has its own dtype. Throws c10::Error
/// (ValueError) for other dtypes, devices and shapes.
namespace slopegan {

/// [N, high, 2H, 2W] -> [N, low, H, W]. `prepared`, where there is one, is `weight` for the dtype of the maps, so that
/// several uses share what is made of it.
at::Tensor strided_convolution(const at::Tensor& maps, const at::Tensor& weight,
                               const PreparedWeightPtr& prepared = {});

/// [N, low, H, W] -> [N, high, 2H, 2W].
at::Tensor strided_convolution_transposed(const at::Tensor& maps, const at::Tensor& weight,
                                          const PreparedWeightPtr& prepared = {});

}  // namespace slopegan
