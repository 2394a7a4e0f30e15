#include "training/adam.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <c10/util/Exception.h>

namespace slopegan {

Adam::Adam(const NamedTensors& parameters, AdamOptions options) : options_(options) {
  for (const auto& [name, parameter] : parameters) {
    slots_.push_back({name, parameter, at::zeros_like(parameter), at::zeros_like(parameter),
                      at::zeros({}, parameter.options().dtype(at::kFloat))});
  }
  // LibTorch's CUDA kernel takes the learning rate as float32.
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
  // The fused kernel does not bump the version counters, which caches of prepared weights rely on.
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

namespace {

double elapsed_fraction(std::int64_t images, std::int64_t over) {
  return std::min(1.0, static_cast<double>(images) / static_cast<double>(over));
}

double decay_factor(LearningRateDecay shape, double t) {
  switch (shape) {
    case LearningRateDecay::none:
      return 1;
    case LearningRateDecay::linear:
      return 1 - t;
    case LearningRateDecay::cosine:
      return (1 + std::cos(std::numbers::pi * t)) / 2;
  }
  TORCH_CHECK(false, "unknown learning rate decay");
}

}  // namespace

double learning_rate_factor(const OptimizerConfig& optimizer, std::int64_t total_images, std::int64_t images,
                            std::int64_t batch) {
  const double warmup =
      optimizer.lr_warmup_images > 0 ? elapsed_fraction(images + batch, optimizer.lr_warmup_images) : 1;
  const std::int64_t end = optimizer.lr_decay_images > 0 ? optimizer.lr_decay_images : total_images;
  return warmup * decay_factor(optimizer.lr_decay, elapsed_fraction(images, end));
}

}  // namespace slopegan
