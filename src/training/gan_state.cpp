#include "training/gan_state.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "diagnostics/vitals.h"

namespace slopegan {

/// Like Module::to, but does not convert the integer counters.
static void convert(torch::nn::Module& module, at::Device device, at::ScalarType type) {
  module.to(device);
  if (type == at::kFloat) return;
  for (auto tensors : {module.parameters(), module.buffers()}) {
    for (auto& tensor : tensors) {
      if (tensor.is_floating_point()) tensor.set_data(tensor.to(type));
    }
  }
}

static Generator make_generator(const Config& config, std::int64_t channels, at::Device device, at::ScalarType type) {
  Generator generator(config.generator, config.data.resolution, channels, static_cast<std::uint64_t>(config.seed));
  generator->initialise(config.init, static_cast<std::uint64_t>(config.seed));
  convert(*generator, device, type);
  return generator;
}

static Discriminator make_discriminator(const Config& config, std::int64_t channels, at::Device device,
                                        at::ScalarType type) {
  Discriminator discriminator(config.discriminator, config.data.resolution, channels,
                              static_cast<std::uint64_t>(config.seed));
  discriminator->initialise(config.init, static_cast<std::uint64_t>(config.seed));
  convert(*discriminator, device, type);
  return discriminator;
}

GanState::GanState(const Config& config, std::int64_t channels, at::Device device, at::ScalarType type)
    : generator(make_generator(config, channels, device, type)),
      discriminator(make_discriminator(config, channels, device, type)),
      generator_optimizer(named_parameters(*generator),
                          {config.optimizer.generator_lr, config.optimizer.beta1, config.optimizer.beta2}),
      discriminator_optimizer(named_parameters(*discriminator),
                              {config.optimizer.discriminator_lr, config.optimizer.beta1, config.optimizer.beta2}) {
  if (config.ema.half_life_images > 0) {
    ema_generator = make_generator(config, channels, device, type);
    ema_generator->eval();
    for (auto& parameter : ema_generator->parameters()) parameter.requires_grad_(false);
  }
}

static void append(NamedTensors& to, const NamedTensors& from, const std::string& prefix) {
  for (const auto& [name, tensor] : from) to.emplace(prefix + name, tensor);
}

NamedTensors GanState::tensors() const {
  NamedTensors all;
  append(all, named_tensors(*generator), "generator.");
  if (ema_generator) append(all, named_tensors(*ema_generator), "ema.");
  append(all, named_tensors(*discriminator), "discriminator.");
  append(all, generator_optimizer.state(), "optimizer.generator.");
  append(all, discriminator_optimizer.state(), "optimizer.discriminator.");
  all.emplace("counters", at::tensor({images_seen, steps}, at::kLong));
  return all;
}

void GanState::restore(const NamedTensors& saved) {
  const auto live = tensors();
  restore_tensors(live, saved);
  const auto counters = live.at("counters");
  images_seen = counters[0].item<std::int64_t>();
  steps = counters[1].item<std::int64_t>();
}

/// Returns the parameters and buffers with a floating-point dtype or, if `floating` is false, all others.
static std::vector<at::Tensor> tensors_of(const torch::nn::Module& module, bool floating) {
  std::vector<at::Tensor> all = module.parameters();
  for (const auto& buffer : module.buffers()) all.push_back(buffer);
  std::erase_if(all, [&](const at::Tensor& tensor) { return tensor.is_floating_point() != floating; });
  return all;
}

double ema_decay(std::int64_t half_life_images, std::int64_t images_seen, std::int64_t batch) {
  const double half_life = std::min(static_cast<double>(half_life_images), 0.05 * static_cast<double>(images_seen));
  return half_life > 0 ? std::exp2(-static_cast<double>(batch) / half_life) : 0.0;
}

void update_ema(torch::nn::Module& average, const torch::nn::Module& live, double decay) {
  const at::NoGradGuard no_gradients;
  at::_foreach_lerp_(tensors_of(average, true), tensors_of(live, true), 1.0 - decay);
  const auto counters = tensors_of(average, false);
  if (!counters.empty()) at::_foreach_copy_(counters, tensors_of(live, false));
}

static void describe_parameters(std::vector<ParameterDiagnosis>& parameters, const std::string& network,
                                const Adam& optimizer) {
  for (const auto& slot : optimizer.slots()) {
    const auto flow = gradient_flow(slot.parameter, slot.parameter.grad(), optimizer.last_update(slot));
    parameters.push_back({network + "." + slot.name, flow.gradient_norm, flow.zero_gradients, flow.update_ratio});
  }
}

std::vector<ParameterDiagnosis> describe_last_step(const GanState& state) {
  const at::NoGradGuard no_gradients;
  std::vector<ParameterDiagnosis> parameters;
  describe_parameters(parameters, "generator", state.generator_optimizer);
  describe_parameters(parameters, "discriminator", state.discriminator_optimizer);
  return parameters;
}

}  // namespace slopegan
