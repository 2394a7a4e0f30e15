#pragma once

#include <ATen/core/Tensor.h>

/// Call these qualified (slopegan::leaky_relu): argument-dependent lookup also finds ATen's functions of the same
/// names.
namespace slopegan {

/// The leaky rectifier (Maas et al. 2013), elementwise: f(x) = x for x > 0, negative_slope · x otherwise; x = 0 takes
/// the slope branch, with gradient negative_slope. Slope 0 is ReLU, slope 1 the identity.
///
/// Any shape, strides and device; float32, float64, bfloat16 (float16 where LibTorch computes with it); the result has
/// the input's dtype, and its memory format where the input is dense. NaN passes through. Twice differentiable: the
/// backward pass is itself a differentiable function of the gradient, as R1 and the gradient penalty need. For slopes
/// from 0 the output is what is kept for it, so that a convolution behind shares the memory.
///
/// Throws c10::Error (ValueError) for a dtype that is not floating, and for a slope that is not finite.
at::Tensor leaky_relu(const at::Tensor& input, double negative_slope);

/// The same into the input's own memory. Throws c10::Error (ValueError) for a negative slope below 0, whose sign the
/// output no longer tells, and where autograd forbids it (a leaf that requires a gradient).
at::Tensor& leaky_relu_(at::Tensor& input, double negative_slope);

/// gradient · f'(x), where `sign` is positive exactly where x is: x itself, or f(x) for slopes from 0. Differentiable
/// in the gradient, any number of times.
at::Tensor leaky_relu_gradient(const at::Tensor& gradient, const at::Tensor& sign, double negative_slope);

/// The leaky rectifier whose slope is learned (PReLU, He et al. 2015): slope has one element, or one for each channel
/// (dimension 1 of the input). Gradient of the slope: Σ g · min(x, 0), accumulated in the slope's own dtype. Twice
/// differentiable in both arguments.
at::Tensor prelu(const at::Tensor& input, const at::Tensor& slope);

}  // namespace slopegan
