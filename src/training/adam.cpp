#include "training/adam.h"

#include <ATen/ATen.h>

namespace slopegan {

Adam::Adam(NamedTensors parameters, AdamOptions options) : parameters_(std::move(parameters)), options_(options) {
  for (const auto& [name, parameter] : parameters_) {
    averages_.push_back(at::zeros_like(parameter));
    squares_.push_back(at::zeros_like(parameter));
    steps_.push_back(at::zeros({}, parameter.options().dtype(at::kFloat)));
  }
}

void Adam::step() {
  const at::NoGradGuard no_gradients;
  std::vector<at::Tensor> parameters, gradients, averages, squares, steps;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const auto& parameter = parameters_[i].second;
    if (!parameter.grad().defined()) continue;
    parameters.push_back(parameter);
    gradients.push_back(parameter.grad());
    averages.push_back(averages_[i]);
    squares.push_back(squares_[i]);
    steps.push_back(steps_[i]);
  }
  if (parameters.empty()) return;
  at::_foreach_add_(steps, 1);
  at::_fused_adam_(parameters, gradients, averages, squares, /*max_exp_avg_sqs=*/{}, steps, options_.learning_rate,
                   options_.beta1, options_.beta2, /*weight_decay=*/0.0, options_.epsilon, /*amsgrad=*/false,
                   /*maximize=*/false);
}

void Adam::zero_gradients() {
  for (auto& [name, parameter] : parameters_) parameter.mutable_grad().reset();
}

NamedTensors Adam::state() const {
  NamedTensors tensors;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const auto& name = parameters_[i].first;
    tensors.emplace_back(name + ".exp_avg", averages_[i]);
    tensors.emplace_back(name + ".exp_avg_sq", squares_[i]);
    tensors.emplace_back(name + ".step", steps_[i]);
  }
  return tensors;
}

}  // namespace slopegan
