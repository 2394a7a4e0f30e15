#include "demo/dying_relu_networks.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "diagnostics/layer_probe.h"
#include "layers/activation.h"
#include "layers/initialisation.h"
#include "sampling/samples.h"
#include "support/random.h"
#include "training/gan_step.h"

namespace slopegan {

namespace {

/// Draws from N(0, 1) as float64, keyed by (seed, name).
at::Tensor keyed_normals(at::IntArrayRef shape, std::uint64_t seed, const std::string& name) {
  auto weights = at::empty(shape, at::kDouble);
  fill_normal(weights, 0, 1, seed, "demo/dying_relu/" + name);
  return weights;
}

/// Runs a batch of `networks` chains on the scalars `inputs` and calls visit(h) with the output of each layer,
/// [networks, width, inputs].
template <typename Visit>
void run_chains(ChainShape shape, double negative_slope, const at::Tensor& inputs, std::int64_t networks,
                std::uint64_t seed, Visit&& visit) {
  const at::NoGradGuard no_gradients;
  LeakyReLU activation(LeakyReLUOptions{negative_slope});
  const double gain = leaky_relu_gain(negative_slope);
  auto h = inputs.view({1, 1, -1}).expand({networks, 1, -1});
  for (std::int64_t layer = 0; layer < shape.layers; ++layer) {
    const auto fan_in = h.size(1);
    const auto name = "chain" + std::to_string(shape.width) + "/" + std::to_string(layer);
    const auto weights = keyed_normals({networks, shape.width, fan_in}, seed, name);
    h = activation->forward(at::bmm(weights, h) * (gain / std::sqrt(static_cast<double>(fan_in))));
    visit(h);
  }
}

}  // namespace

Count count_point_deaths(ChainShape shape, double negative_slope, std::int64_t networks, std::uint64_t seed) {
  auto dead = at::zeros({networks}, at::kBool);
  run_chains(shape, negative_slope, at::ones({1}, at::kDouble), networks, seed,
             [&](const at::Tensor& h) { dead.logical_or_((h == 0).flatten(1).all(1)); });
  return {dead.sum().item<std::int64_t>(), networks};
}

double point_death_probability(ChainShape shape, double negative_slope) {
  return negative_slope == 0 ? born_dead_bound(shape) : 0;
}

Count count_born_dead(ChainShape shape, double negative_slope, std::int64_t networks, std::uint64_t seed) {
  at::Tensor last;
  run_chains(shape, negative_slope, at::tensor({1.0, -1.0}), networks, seed, [&](const at::Tensor& h) { last = h; });
  return {(last == 0).flatten(1).all(1).sum().item<std::int64_t>(), networks};
}

double born_dead_bound(ChainShape shape) {
  const double reached = 1 - std::exp2(-static_cast<double>(shape.width));
  return 1 - std::pow(reached, static_cast<double>(shape.layers));
}

Recovery train_dead_unit(const RecoveryProblem& problem, double negative_slope) {
  LeakyReLU activation(LeakyReLUOptions{negative_slope});
  auto bias = at::full({1}, problem.bias, at::kDouble).requires_grad_();
  Recovery recovery;
  recovery.biases.push_back(problem.bias);
  for (std::int64_t step = 1; step <= problem.max_steps && recovery.steps < 0; ++step) {
    const auto loss = (activation->forward(bias) - problem.target).square().sum() / 2;
    const auto gradient = torch::autograd::grad({loss}, {bias}).front();
    {
      const at::NoGradGuard no_gradients;
      bias.sub_(gradient, problem.rate);
    }
    recovery.biases.push_back(bias.item<double>());
    if (recovery.biases.back() > 0) recovery.steps = step;
  }
  recovery.bit_identical = recovery.biases.back() == problem.bias;
  return recovery;
}

std::int64_t predicted_recovery(const RecoveryProblem& problem, double negative_slope) {
  const double a = negative_slope;
  if (a == 0) return -1;
  return static_cast<std::int64_t>(
      std::ceil(-std::log1p(-a * problem.bias / problem.target) / std::log1p(-problem.rate * a * a)));
}

double correlation_map(double correlation, double negative_slope) {
  const double a = negative_slope, c = std::clamp(correlation, -1.0, 1.0), pi = std::numbers::pi;
  const double rectified = (std::sqrt(1 - c * c) + c * (pi - std::acos(c))) / (2 * pi);
  return 2 / (1 + a * a) * (a * c + (1 - a) * (1 - a) * rectified);
}

static double cosine_similarity(const at::Tensor& pair) {
  const auto u = pair.select(1, 0), v = pair.select(1, 1);
  return (at::dot(u, v) / (u.norm() * v.norm())).item<double>();
}

std::vector<Correlations> measure_correlations(const std::vector<double>& negative_slopes, std::int64_t layers,
                                               std::int64_t width, std::int64_t networks, std::uint64_t seed) {
  const at::NoGradGuard no_gradients;
  // Two orthogonal inputs with the same norm.
  const auto half = at::ones({width / 2}, at::kDouble);
  const auto inputs = at::stack({at::cat({half, half}), at::cat({half, -half})}, 1);
  const auto slopes = std::ssize(negative_slopes);
  auto table = at::zeros({slopes, networks, layers}, at::kDouble);
  for (std::int64_t network = 0; network < networks; ++network) {
    std::vector<at::Tensor> h(negative_slopes.size(), inputs);
    for (std::int64_t layer = 0; layer < layers; ++layer) {
      const auto name = "wide" + std::to_string(network) + "/" + std::to_string(layer);
      const auto weights = keyed_normals({width, width}, seed, name) / std::sqrt(static_cast<double>(width));
      for (std::size_t i = 0; i < h.size(); ++i) {
        const double slope = negative_slopes[i];
        LeakyReLU activation(LeakyReLUOptions{slope});
        h[i] = activation->forward(at::mm(weights, h[i]) * leaky_relu_gain(slope));
        table[static_cast<std::int64_t>(i)][network][layer] = cosine_similarity(h[i]);
      }
    }
  }
  const auto values = [layers](const at::Tensor& row) {
    return std::vector<double>(row.const_data_ptr<double>(), row.const_data_ptr<double>() + layers);
  };
  std::vector<Correlations> all;
  for (std::int64_t i = 0; i < slopes; ++i) {
    const auto of_slope = table[i];
    all.push_back({values(of_slope.mean(0)), values(of_slope.std(0) / std::sqrt(static_cast<double>(networks)))});
  }
  return all;
}

// --- A GAN with a damaged discriminator ------------------------------------------------------------------------------

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
  config.init.mode = InitMode::slope_matched;  // variance 1 in every layer even without batch norm
  config.optimizer.generator_lr = config.optimizer.discriminator_lr = 2e-3;
  config.loss.r1 = 0;
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

/// Sets the biases so that nearly all pre-activations are negative, based on the standard deviations of the
/// pre-activations in the initialised network.
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

/// Adds a point to each curve. The forward passes change the running statistics of batch norm, which are not used here.
void add_point(GanState& state, const at::Tensor& reals, const at::Tensor& start, WoundedGan& result) {
  const at::NoGradGuard no_gradients;
  const LayerProbe layers(*state.discriminator);
  const auto latents = draw_latents(0, "demo/dying_relu/probes", 0, disc_batch, state.generator->latent_dim());
  state.discriminator->forward(reals);
  state.discriminator->forward(state.generator->forward(latents));
  double never = 0, units = 0;
  for (std::size_t i = 0; i < layers.layers().size(); ++i) {
    if (!is_wounded(*state.discriminator->blocks[i])) continue;
    const auto& layer = layers.layers()[i];
    never += layer.never_positive() * static_cast<double>(layer.units());
    units += static_cast<double>(layer.units());
  }
  const auto now = flat_parameters(*state.generator);
  result.steps.push_back(static_cast<double>(state.steps));
  result.never_positive.push_back(never / units);
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
