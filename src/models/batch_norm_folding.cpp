#include "models/batch_norm_folding.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

namespace slopegan {

TransposedWeights fold_batch_norm(const TransposedWeights& convolution, const BatchNormTensors& norm) {
  const at::NoGradGuard no_gradients;
  const auto plain = [&](const at::Tensor& x) { return x.to(convolution.weight.scalar_type()).contiguous(); };
  const auto factor = norm.weight.to(at::kDouble) / (norm.running_var.to(at::kDouble) + norm.epsilon).sqrt();
  const auto bias = convolution.bias.defined() ? convolution.bias.to(at::kDouble) : at::zeros_like(factor);
  return {plain(convolution.weight.to(at::kDouble) * factor.view({1, -1, 1, 1})),
          plain(norm.bias.to(at::kDouble) + (bias - norm.running_mean.to(at::kDouble)) * factor)};
}

}  // namespace slopegan
