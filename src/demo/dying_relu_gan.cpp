#include "demo/dying_relu_gan.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "diagnostics/layer_probe.h"
#include "sampling/samples.h"
#include "support/random.h"
#include "training/gan_step.h"

namespace slopegan {

namespace {

constexpr std::int64_t disc_batch = 32, disc_side = 32;
constexpr double wound_in_deviations = -3;

Config wounded_config(const WoundedGanOptions& options) {
  Config config;
  config.seed = static_cast<std::int64_t>(options.seed);
  config.data.resolution = disc_side;
  config.generator.width = config.discriminator.width = 8;
  config.generator.latent_dim = 16;
  config.discriminator.negative_slope = NegativeSlope(options.negative_slope);
  config.discriminator.norm = options.norm;
  config.init.mode = InitMode::slope_matched;  // a variance of one in every layer without batch norm, too
  config.optimizer.generator_lr = config.optimizer.discriminator_lr = 2e-3;
  config.ema.half_life_images = 0;
  return config;
}

/// White discs on black: [disc_batch, 1, 32, 32] in [−1, 1].
at::Tensor discs(std::uint64_t seed, std::int64_t index) {
  auto numbers = at::empty({3, disc_batch, 1, 1, 1}, at::kFloat);
  RandomStream(seed, "demo/dying_relu/discs", static_cast<std::uint64_t>(index))
      .fill_uniform({numbers.mutable_data_ptr<float>(), static_cast<std::size_t>(numbers.numel())}, 0, 1);
  const auto axis = at::arange(disc_side, at::kFloat);
  const auto x = axis.view({1, 1, 1, disc_side}), y = axis.view({1, 1, disc_side, 1});
  const auto centre = numbers.narrow(0, 0, 2) * 12 + 10;
  const auto radius = numbers[2] * 5 + 4;
  const auto distance = ((x - centre[0]).square() + (y - centre[1]).square()).sqrt();
  return (radius - distance).clamp(-1, 1).contiguous(at::MemoryFormat::ChannelsLast);
}

bool is_wounded(const BlockImpl& block) { return block.activation && (block.conv->bias.defined() || block.norm); }

/// Moves the biases to where nearly every pre-activation is negative, measured on the network as it was initialised.
void wound(Discriminator& discriminator, const at::Tensor& images) {
  const at::NoGradGuard no_gradients;
  std::vector<double> deviations(discriminator->blocks.size());
  for (std::size_t i = 0; i < discriminator->blocks.size(); ++i) {
    discriminator->blocks[i]->observer = [&deviations, i](const at::Tensor& pre_activation, const at::Tensor&) {
      deviations[i] = pre_activation.std().item<double>();
    };
  }
  discriminator->forward(images);
  for (std::size_t i = 0; i < discriminator->blocks.size(); ++i) {
    auto& block = *discriminator->blocks[i];
    block.observer = nullptr;
    if (!is_wounded(block)) continue;
    auto& bias = block.conv->bias.defined() ? block.conv->bias : block.norm->bias;
    bias.fill_(wound_in_deviations * deviations[i]);
  }
}

at::Tensor flat_parameters(const torch::nn::Module& module) {
  std::vector<at::Tensor> parts;
  for (const auto& parameter : module.parameters()) parts.push_back(parameter.detach().flatten());
  return at::cat(parts);
}

/// Adds a point to each curve. The forward passes move the running statistics of batch norm, which nothing here uses.
void add_point(GanState& state, const at::Tensor& reals, const at::Tensor& start, WoundedGan& result) {
  const at::NoGradGuard no_gradients;
  const LayerProbe layers(*state.discriminator);
  const auto latents = draw_latents(0, "demo/dying_relu/probes", 0, disc_batch, state.generator->latent_dim());
  state.discriminator->forward(reals);
  state.discriminator->forward(state.generator->forward(latents));
  double never = 0, units = 0, positive = 0;
  for (std::size_t i = 0; i < layers.layers().size(); ++i) {
    if (!is_wounded(*state.discriminator->blocks[i])) continue;
    const auto& layer = layers.layers()[i];
    never += layer.never_positive() * static_cast<double>(layer.units());
    units += static_cast<double>(layer.units());
    for (std::int64_t unit = 0; unit < layer.units(); ++unit) positive += layer.positive_fraction(unit);
  }
  const auto now = flat_parameters(*state.generator);
  result.steps.push_back(static_cast<double>(state.steps));
  result.never_positive.push_back(never / units);
  result.positive_fraction.push_back(positive / units);
  result.generator_change.push_back(((now - start).norm() / start.norm()).item<double>());
  result.generator_bit_identical = at::equal(now, start);
}

}  // namespace

WoundedGan train_wounded_gan(const WoundedGanOptions& options) {
  const Config config = wounded_config(options);
  const Compute compute{at::kCPU, at::kFloat, 1};
  GanState state(config, 1, at::kCPU);
  const auto probes = discs(options.seed, -1);
  wound(state.discriminator, probes);
  const auto start = flat_parameters(*state.generator).clone();
  WoundedGan result;
  add_point(state, probes, start, result);
  for (std::int64_t step = 1; step <= options.steps; ++step) {
    gan_step(state, config, compute, {discs(options.seed, step)});
    if (step % options.probe_every == 0 || step == options.steps) add_point(state, probes, start, result);
  }
  return result;
}

}  // namespace slopegan
