#pragma once

#include <functional>
#include <vector>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

namespace slopegan::testing {

using ScalarFunction = std::function<at::Tensor(const std::vector<at::Tensor>&)>;

/// Returns ∂f / ∂inputs[which], computed by central differences with step 1e-6. The inputs and the result are float64.
inline at::Tensor numerical_gradient(const ScalarFunction& f, std::vector<at::Tensor> inputs, std::size_t which) {
  const double step = 1e-6;
  for (auto& input : inputs) input = input.detach().clone().requires_grad_(input.requires_grad());
  auto gradient = at::zeros(inputs[which].sizes(), at::kDouble);
  for (std::int64_t i = 0; i < gradient.numel(); ++i) {
    const auto value_at = [&](double offset) {
      auto moved = inputs;
      auto values = inputs[which].detach().clone(at::MemoryFormat::Contiguous);
      values.view(-1)[i] += offset;
      moved[which] = values.requires_grad_(inputs[which].requires_grad());
      return f(moved).item<double>();
    };
    gradient.view(-1)[i] = (value_at(step) - value_at(-step)) / (2 * step);
  }
  return gradient;
}

/// Returns ∂f / ∂inputs[which], computed by autograd, or zeros if f does not depend on this input.
inline at::Tensor analytic_gradient(const ScalarFunction& f, std::vector<at::Tensor> inputs, std::size_t which) {
  for (auto& input : inputs) input = input.detach().clone().requires_grad_();
  const auto gradient = torch::autograd::grad({f(inputs)}, {inputs[which]}, {}, /*retain_graph=*/std::nullopt,
                                              /*create_graph=*/false, /*allow_unused=*/true)[0];
  return gradient.defined() ? gradient : at::zeros_like(inputs[which]);
}

/// Returns the largest absolute difference between the numerical and the analytic gradient over all inputs.
inline double gradient_error(const ScalarFunction& f, const std::vector<at::Tensor>& inputs) {
  double error = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto difference = numerical_gradient(f, inputs, i) - analytic_gradient(f, inputs, i);
    error = std::max(error, difference.abs().max().item<double>());
  }
  return error;
}

/// Returns a scalar function of the gradients of f. Passing it to gradient_error checks the second derivatives of f.
/// The function is the sum of w·g·sin(1 + g) over all elements g of the gradients, with fixed weights w.
inline ScalarFunction scalar_of_gradients(const ScalarFunction& f) {
  return [f](const std::vector<at::Tensor>& inputs) {
    std::vector<at::Tensor> leaves;
    for (const auto& input : inputs) leaves.push_back(input.requires_grad() ? input : input.clone().requires_grad_());
    const auto gradients = torch::autograd::grad({f(leaves)}, leaves, {}, /*retain_graph=*/true, /*create_graph=*/true,
                                                 /*allow_unused=*/true);
    auto sum = at::zeros({}, at::kDouble);
    for (const auto& g : gradients) {
      if (!g.defined()) continue;
      const auto weights = at::linspace(0.5, 1.5, g.numel(), at::kDouble).view(g.sizes());
      sum = sum + (weights * g * (g + 1).sin()).sum();
    }
    return sum;
  };
}

}  // namespace slopegan::testing
