#include "training/gan_state.h"

#include <sstream>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "support/errors.h"
#include "support/text.h"
#include "training/ema.h"

namespace slopegan {

static NamedTensors named_parameters(const torch::nn::Module& module) {
  NamedTensors tensors;
  for (const auto& parameter : module.named_parameters()) tensors.emplace(parameter.key(), parameter.value());
  return tensors;
}

static Generator make_generator(const Config& config, std::int64_t channels, at::Device device) {
  Generator generator(config.generator, config.data.resolution, channels, static_cast<std::uint64_t>(config.seed));
  generator->initialise(config.init, static_cast<std::uint64_t>(config.seed));
  generator->to(device);
  return generator;
}

static Discriminator make_discriminator(const Config& config, std::int64_t channels, at::Device device) {
  Discriminator discriminator(config.discriminator, config.data.resolution, channels,
                              static_cast<std::uint64_t>(config.seed));
  discriminator->initialise(config.init, static_cast<std::uint64_t>(config.seed));
  discriminator->to(device);
  return discriminator;
}

GanState::GanState(const Config& config, std::int64_t channels, at::Device device)
    : generator(make_generator(config, channels, device)),
      discriminator(make_discriminator(config, channels, device)),
      generator_optimizer(named_parameters(*generator),
                          {config.optimizer.generator_lr, config.optimizer.beta1, config.optimizer.beta2}),
      discriminator_optimizer(named_parameters(*discriminator),
                              {config.optimizer.discriminator_lr, config.optimizer.beta1, config.optimizer.beta2}) {
  if (config.ema.half_life_images > 0) {
    average_generator = make_generator(config, channels, device);
    average_generator->eval();
    for (auto& parameter : average_generator->parameters()) parameter.requires_grad_(false);
  }
}

NamedTensors named_tensors(const torch::nn::Module& module) {
  NamedTensors tensors = named_parameters(module);
  for (const auto& buffer : module.named_buffers()) tensors.emplace(buffer.key(), buffer.value());
  return tensors;
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

static std::string shape_text(const at::Tensor& tensor) {
  std::ostringstream text;
  text << tensor.sizes() << ' ' << tensor.scalar_type();
  return text.str();
}

void restore_tensors(const NamedTensors& live, const NamedTensors& saved) {
  std::vector<std::string> problems;
  for (const auto& [name, tensor] : live) {
    const auto found = saved.find(name);
    if (found == saved.end()) {
      problems.push_back(name + " is missing");
    } else if (found->second.sizes() != tensor.sizes() || found->second.scalar_type() != tensor.scalar_type()) {
      problems.push_back(name + " is " + shape_text(found->second) + ", not " + shape_text(tensor));
    }
  }
  for (const auto& [name, tensor] : saved) {
    if (!live.contains(name)) problems.push_back(printable(name) + " is unknown");
  }
  if (!problems.empty()) {
    const std::size_t count = problems.size();
    problems.resize(std::min<std::size_t>(count, 5));
    throw CheckpointError("the checkpoint belongs to another architecture: " + join(problems, "; ") +
                          (count > 5 ? format(" (and %zu more)", count - 5) : ""));
  }
  const at::NoGradGuard no_gradients;
  // Into the live memory, whose strides stay as the kernels chose them.
  for (const auto& [name, tensor] : live) at::Tensor(tensor).copy_(saved.at(name));
}

NamedTensors with_prefix(const NamedTensors& tensors, const std::string& prefix) {
  NamedTensors found;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with(prefix)) found.emplace(name.substr(prefix.size()), tensor);
  }
  return found;
}

void GanState::restore(const NamedTensors& saved) {
  const auto live = tensors();
  restore_tensors(live, saved);
  const auto counters = live.at("counters");
  images_seen = counters[0].item<std::int64_t>();
  steps = counters[1].item<std::int64_t>();
}

}  // namespace slopegan
