#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include <ATen/core/Tensor.h>
#include <torch/nn/modules/batchnorm.h>

#include "layers/activation.h"

/// Batch norm (Ioffe and Szegedy 2015) of feature maps [N, C, H, W]: on its own, with an activation, with a scale and
/// shift per image, synchronised across ranks, and folded into a convolution.
namespace slopegan {

/// Sums a contiguous tensor across all ranks, in place; the results are bit-identical on all ranks. Collective: all
/// ranks call it in the same order with tensors of the same shape and dtype.
using SumOverRanks = std::function<void(at::Tensor&)>;

/// The tensors and constants of batch norm. Tensors are [C] unless stated otherwise, float32 (float64 for
/// float64 feature maps).
struct BatchNormState {
  at::Tensor weight, bias;                    ///< in batch_norm_leaky_relu also [N, C]: one value per image and channel
  at::Tensor running_mean, running_variance;  ///< updated by every forward pass in training
  double momentum = 0.1;
  double epsilon = 1e-5;
};

/// The scale and shift of each image and channel, [N, C] each, float32 (float64 for float64 feature maps).
struct Modulation {
  at::Tensor scale, shift;
};

/// scale · maps + shift, in the dtype of the maps [N, C, H, W].
at::Tensor modulate(const at::Tensor& maps, const Modulation& modulation);

// --- Module ---------------------------------------------------------------------------------------------------------

/// Batch norm and the activation that follows it as one module: activation(batch_norm(x)). It has the parameters and
/// buffers of torch::nn::BatchNorm2d; the module that owns this one registers the activation. In training on the CPU,
/// batch norm and a plain leaky ReLU are fused (batch_norm_leaky_relu), unless sum_over_ranks is set.
///
/// A module that is not affine has no weight and bias; instead, each forward pass is given a scale and shift per image.
class BatchNormActivationImpl : public torch::nn::BatchNorm2dImpl {
 public:
  /// If `activation` is nullptr, the module is batch norm alone.
  explicit BatchNormActivationImpl(std::int64_t channels, std::shared_ptr<ActivationImpl> activation = nullptr,
                                   bool affine = true);

  /// [N, C, H, W] -> [N, C, H, W], same dtype. `modulation` is given if and only if the module is not affine.
  at::Tensor forward(const at::Tensor& maps, const Modulation& modulation = {});

  /// Batch norm without the activation.
  at::Tensor normalise(const at::Tensor& maps, const Modulation& modulation = {});

  /// The tensors themselves, not copies. If the module is not affine, the weight is 1 and the bias is 0.
  BatchNormState state() const;

  /// If set, the statistics in training are computed over the images of all ranks.
  SumOverRanks sum_over_ranks;

 private:
  void check(const Modulation& modulation) const;

  std::shared_ptr<ActivationImpl> activation_;
};
TORCH_MODULE(BatchNormActivation);

// --- Functions ------------------------------------------------------------------------------------------------------

/// leaky_relu(batch_norm(maps)) in training: one pass for the statistics, one for the output, two for the gradients.
/// Intermediate feature maps are never written to memory; only the input maps are saved for the backward pass. Twice
/// differentiable in maps, weight and bias. The weight and bias are [C], or [N, C] for a scale and shift per image.
///
/// maps: [N, C, H, W], float32, float64 or bfloat16 on the CPU, preferably channels-last; the result is channels-last.
/// Computes in float32 (float64 for float64 maps), so a bfloat16 result is rounded only once. Throws c10::Error
/// (ValueError) for other dtypes, if the slope is not finite, or if there is only one value per channel, which has no
/// variance.
at::Tensor batch_norm_leaky_relu(const at::Tensor& maps, const BatchNormState& norm, double negative_slope);

/// Batch norm in training with the mean and variance over the images of all ranks, which may have different numbers of
/// images. Updates the running statistics as a single process with all images would. maps: [N, C, H, W]; the result has
/// the same dtype. The statistics have the dtype of the weights.
at::Tensor synchronised_batch_norm(const at::Tensor& maps, const BatchNormState& norm, const SumOverRanks& sum);

/// The sum across all ranks, differentiable any number of times. Its gradient is the sum of the ranks' gradients,
/// because the loss of each rank depends on the inputs of all ranks.
at::Tensor differentiable_sum(const at::Tensor& input, const SumOverRanks& sum);

/// The tensors of a transposed convolution: weight [in, out, k, k], and bias [out], which is undefined if there is
/// none.
struct TransposedWeights {
  at::Tensor weight, bias;
};

/// The transposed convolution that computes `convolution` followed by `norm` in evaluation mode. The scale and shift of
/// each channel are folded into the weight and the bias in float64. The results are contiguous, do not require
/// gradients, and have the dtype and device of the weight; the bias is always defined.
TransposedWeights fold_batch_norm(const TransposedWeights& convolution, const BatchNormState& norm);

}  // namespace slopegan
