#pragma once

#include <ATen/core/Tensor.h>

/// The convolution that DCGANs are made of, 4×4 with stride 2 and padding 1, and its transpose (Radford et al. 2016).
///
/// LibTorch's own are near the machine's peak for wide layers and far from it for thin ones (an image's one or three
/// channels), and its weight gradients in bfloat16 are slower than those in float32. Here the input gradient of thin
/// layers (also the forward pass of thin transposed ones) is a matrix product over patches that are added up
/// afterwards, and a weight gradient in bfloat16 is one over gathered patches; the rest is LibTorch's. The choice
/// depends on shapes and dtype alone. Both functions may be differentiated any number of times, in both arguments.
///
/// Maps are [N, C, H, W] in float32, float64 or bfloat16 on the CPU; of memory formats channels-last is the quick one,
/// and what comes out. A weight is [low, high, 4, 4], `low` the channels on the side of the small maps; it may have a
/// wider dtype than the maps, is cast to theirs for the product, and its gradient has its own dtype.
namespace slopegan {

/// [N, high, 2H, 2W] -> [N, low, H, W]. `cast`, where defined, is `weight` in the dtype of the maps (see cast_weight),
/// so that it need not be cast at each use.
at::Tensor strided_convolution(const at::Tensor& maps, const at::Tensor& weight, const at::Tensor& cast = {});

/// [N, low, H, W] -> [N, high, 2H, 2W].
at::Tensor strided_convolution_transposed(const at::Tensor& maps, const at::Tensor& weight,
                                          const at::Tensor& cast = {});

/// The weight as the matrix products want it: in `type`, channels-last, without a gradient.
at::Tensor cast_weight(const at::Tensor& weight, at::ScalarType type);

}  // namespace slopegan
