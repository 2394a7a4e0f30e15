#pragma once

#include <functional>

#include <ATen/core/Tensor.h>
#include <torch/nn/modules/batchnorm.h>

namespace slopegan {

/// Adds up a contiguous tensor over all processes that train together, in place: all have the same bits afterwards.
/// All of them call it in the same order with tensors of the same shape and dtype.
using SumOverRanks = std::function<void(at::Tensor&)>;

/// The sum over all processes, which can be differentiated as often as wanted: the gradient of the input is the sum of
/// the processes' gradients, because each process's loss depends on everybody's input.
at::Tensor differentiable_sum(const at::Tensor& input, const SumOverRanks& sum);

/// Batch norm (Ioffe and Szegedy 2015) in training, with the mean and the variance of the images of all processes,
/// which may have different numbers of them; updates the running statistics as `norm` would with all images. input: [N,
/// C, H, W]; the result has its dtype. Statistics are computed in the dtype of the weights.
at::Tensor synchronised_batch_norm(const at::Tensor& input, torch::nn::BatchNorm2dImpl& norm, const SumOverRanks& sum);

}  // namespace slopegan
