#pragma once

#include <ATen/core/Tensor.h>

namespace slopegan {

/// Batch norm with its running statistics; all tensors [C].
struct BatchNormTensors {
  at::Tensor weight, bias, running_mean, running_var;
  double epsilon = 1e-5;
};

/// weight [in, out, k, k] and bias [out].
struct TransposedWeights {
  at::Tensor weight, bias;
};

/// The transposed convolution that does what this one (bias [out] or undefined) and the batch norm behind it do: factor
/// and offset of each channel go into its weight and bias, computed in float64. Contiguous, with the dtype
/// and the device of the weight, without gradients.
TransposedWeights fold_batch_norm(const TransposedWeights& convolution, const BatchNormTensors& norm);

}  // namespace slopegan
