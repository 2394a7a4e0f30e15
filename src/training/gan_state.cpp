#include "training/gan_state.h"

#include <ATen/ATen.h>

#include "training/ema.h"

namespace slopegan {

/// Module::to with a dtype would take the counters along.
static void move(torch::nn::Module& module, at::Device device, at::ScalarType type) {
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
  move(*generator, device, type);
  return generator;
}

static Discriminator make_discriminator(const Config& config, std::int64_t channels, at::Device device,
                                        at::ScalarType type) {
  Discriminator discriminator(config.discriminator, config.data.resolution, channels,
                              static_cast<std::uint64_t>(config.seed));
  discriminator->initialise(config.init, static_cast<std::uint64_t>(config.seed));
  move(*discriminator, device, type);
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
    average_generator = make_generator(config, channels, device, type);
    average_generator->eval();
    for (auto& parameter : average_generator->parameters()) parameter.requires_grad_(false);
  }
}

static void append(NamedTensors& to, const NamedTensors& from, const std::string& prefix) {
  for (const auto& [name, tensor] : from) to.emplace(prefix + name, tensor);
}

NamedTensors GanState::tensors() const {
  NamedTensors all;
  append(all, named_tensors(*generator), "generator.");
  if (average_generator) append(all, named_tensors(*average_generator), "ema.");
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

}  // namespace slopegan
