#pragma once

#include <ATen/core/Tensor.h>

/// Counterparts of the ATen functions with the same names. Call them with their namespace (slopegan::leaky_relu),
/// because argument-dependent lookup also finds ATen's.
namespace slopegan {

/// The leaky rectifier (Maas et al. 2013), elementwise: f(x) = x for x > 0, negative_slope · x otherwise. The gradient
/// at x = 0 is negative_slope. Slope 0 is ReLU (and maps −∞ to 0); slope 1 is the identity.
///
/// The input can have any shape, strides and device; its dtype is float32, float64, bfloat16, or float16 if LibTorch
/// supports it on the device. The result has the input's dtype, and also its memory format if the input is dense. NaN
/// stays NaN. Twice differentiable: the backward pass is a differentiable function of the gradient, as R1 and the
/// gradient penalty require. The backward pass needs only the sign of x. For slopes of 0 or more, the output is saved,
/// at no cost in memory if the following convolution saves the output too. For negative slopes, the input is saved.
///
/// Throws c10::Error (ValueError) if the dtype is not a floating-point type or the slope is not finite.
at::Tensor leaky_relu(const at::Tensor& input, double negative_slope);

/// Like leaky_relu, but overwrites the input. Throws c10::Error (ValueError) if the slope is below 0, because the
/// output would not have the sign of the input, and c10::Error if autograd forbids overwriting the input (for example,
/// a leaf that requires gradients).
at::Tensor& leaky_relu_(at::Tensor& input, double negative_slope);

/// gradient · f'(x), where `sign` is positive exactly where x is positive: x itself, or f(x) for slopes of 0 or more.
/// Differentiable in the gradient, any number of times.
at::Tensor leaky_relu_gradient(const at::Tensor& gradient, const at::Tensor& sign, double negative_slope);

/// The leaky rectifier with a learned slope (PReLU, He et al. 2015). slope: [1], or one element per channel (dimension
/// 1 of the input). The gradient with respect to the slope is Σ g · min(x, 0), accumulated in the slope's dtype. Twice
/// differentiable in both arguments.
at::Tensor prelu(const at::Tensor& input, const at::Tensor& slope);

}  // namespace slopegan
