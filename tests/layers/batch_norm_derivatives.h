#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "layers/batch_norm.h"

/// Functions shared by the tests of batch norm with a scale per channel and with a scale per image.
namespace slopegan::testing {

/// Simulates the sum across `ranks` ranks that all have the same images.
inline SumOverRanks equal_ranks(double ranks) {
  return [ranks](at::Tensor& tensor) { tensor.mul_(ranks); };
}

inline BatchNormState in_float64(const BatchNormState& state) {
  const auto copy = [](const at::Tensor& x) { return x.detach().to(at::kDouble, false, /*copy=*/true); };
  return {copy(state.weight).requires_grad_(true), copy(state.bias).requires_grad_(true), copy(state.running_mean),
          copy(state.running_variance)};
}

/// Returns the output; its gradients with respect to x, weight and bias; the same gradients again, computed
/// differentiably; and the gradients of the squared norm of the latter with respect to x, weight and direction. All
/// are float64.
inline std::vector<at::Tensor> norm_derivatives(const at::Tensor& x, const BatchNormState& norm,
                                                const at::Tensor& direction,
                                                const std::function<at::Tensor(const at::Tensor&)>& function) {
  const auto input = x.detach().clone().requires_grad_(true);
  const auto given = direction.detach().clone().requires_grad_(true);
  const auto output = function(input);
  const std::vector<at::Tensor> inputs = {input, norm.weight, norm.bias};
  const auto first = torch::autograd::grad({output}, inputs, {given}, true);
  const auto again = torch::autograd::grad({output}, inputs, {given}, true, /*create_graph=*/true);
  auto squares = at::zeros({}, at::kDouble);
  for (const auto& gradient : again) squares = squares + gradient.to(at::kDouble).square().sum();
  const auto second = torch::autograd::grad({squares}, {input, norm.weight, given});
  std::vector<at::Tensor> all = {output};
  for (const auto* part : {&first, &again, &second}) all.insert(all.end(), part->begin(), part->end());
  for (auto& tensor : all) tensor = tensor.detach().to(at::kDouble);
  return all;
}

/// Moves the bias until no value before the activation is within 1e-4 of 0, where rounding errors would decide whether
/// the slope applies. `before_activation` must compute these values from a copy of the state.
inline void keep_away_from_zero(const BatchNormState& state,
                                const std::function<at::Tensor(const BatchNormState&)>& before_activation) {
  const at::NoGradGuard no_gradients;
  const auto dimensions = state.bias.dim() == 2 ? std::vector<std::int64_t>{2, 3} : std::vector<std::int64_t>{0, 2, 3};
  for (int i = 0; i < 100; ++i) {  // a few iterations are usually enough
    const auto is_near = before_activation(in_float64(state)).abs().amin(dimensions).lt(1e-4);
    if (!is_near.any().item<bool>()) return;
    state.bias.add_(is_near.to(state.bias.scalar_type()), 3e-4);
  }
}

}  // namespace slopegan::testing
