#include "training/adam.h"

#include <cmath>
#include <optional>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

namespace slopegan {

Adam::Adam(const NamedTensors& parameters, AdamOptions options) : options_(options) {
  for (const auto& [name, parameter] : parameters) {
    slots_.push_back({name, parameter, at::zeros_like(parameter), at::zeros_like(parameter),
                      at::zeros({}, parameter.options().dtype(at::kFloat))});
  }
  // LibTorch's kernel takes a rate of single precision from a GPU, and any from the CPU.
  const auto device = slots_.empty() ? at::Device(at::kCPU) : slots_.front().parameter.device();
  device_rate_ = at::zeros({}, at::TensorOptions(device.is_cpu() ? at::kDouble : at::kFloat).device(device));
  set_rate_factor(1);
}

void Adam::set_rate_factor(double factor) {
  const double rate = factor * options_.learning_rate;
  if (rate == rate_) return;
  rate_ = rate;
  device_rate_.fill_(rate);
}

void Adam::step(const at::Tensor& is_bad) {
  const at::NoGradGuard no_gradients;
  std::vector<at::Tensor> parameters, gradients, averages, squares, steps;
  for (const auto& slot : slots_) {
    if (!slot.parameter.grad().defined()) continue;
    parameters.push_back(slot.parameter);
    gradients.push_back(slot.parameter.grad());
    averages.push_back(slot.average);
    squares.push_back(slot.square);
    steps.push_back(slot.step);
  }
  if (parameters.empty()) return;
  if (is_bad.defined()) {
    at::_foreach_add_(steps, 1 - is_bad);
  } else {
    at::_foreach_add_(steps, 1);
  }
  at::_fused_adam_(parameters, gradients, averages, squares, /*max_exp_avg_sqs=*/{}, steps, device_rate_,
                   options_.beta1, options_.beta2, /*weight_decay=*/0.0, options_.epsilon, /*amsgrad=*/false,
                   /*maximize=*/false, /*grad_scale=*/std::nullopt,
                   is_bad.defined() ? std::optional(is_bad) : std::nullopt);
  // The fused kernel does not count its changes; those who keep something made of a parameter go by the count.
  for (const auto& parameter : parameters) parameter.unsafeGetTensorImpl()->bump_version();
}

void Adam::zero_gradients() {
  for (auto& slot : slots_) slot.parameter.mutable_grad().reset();
}

NamedTensors Adam::state() const {
  NamedTensors tensors;
  for (const auto& slot : slots_) {
    tensors.emplace(slot.name + ".exp_avg", slot.average);
    tensors.emplace(slot.name + ".exp_avg_sq", slot.square);
    tensors.emplace(slot.name + ".step", slot.step);
  }
  return tensors;
}

at::Tensor Adam::last_update(const Slot& slot) const {
  const double step = slot.step.item<double>();
  if (step == 0) return at::zeros_like(slot.average);
  const auto average = slot.average / (1 - std::pow(options_.beta1, step));
  const auto square = slot.square / (1 - std::pow(options_.beta2, step));
  return average.div_(square.sqrt_().add_(options_.epsilon)).mul_(rate_);
}

}  // namespace slopegan
