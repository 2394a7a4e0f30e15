#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include "sampling/samples.h"
#include "support/random.h"
#include "training/gan_step.h"

/// Compares the training step with a plain implementation, which calls LibTorch's own layers one by one and implements
/// Adam as in the paper (Kingma and Ba 2015, algorithm 1).
namespace slopegan {
namespace {

using Weights = std::map<std::string, at::Tensor>;
const std::vector<std::int64_t> one(2, 1), two(2, 2), none(2, 0);

/// Sets the default dtype to float64 for the lifetime of the object. The weights and moments of a new GanState then
/// have this dtype as well.
class InFloat64 {
 public:
  InFloat64() { torch::set_default_dtype(caffe2::TypeMeta::Make<double>()); }
  ~InFloat64() { torch::set_default_dtype(caffe2::TypeMeta::Make<float>()); }
};

Weights weights_of(const torch::nn::Module& network) {
  Weights weights;
  for (const auto& parameter : network.named_parameters()) {
    weights[parameter.key()] = parameter.value().detach().clone().requires_grad_(true);
  }
  return weights;
}

struct PlainNetwork {
  Weights weights, average, square;
  bool transposed;
  double slope;

  /// The scale and shift that self-modulation computes from the latents, [N, C, 1, 1] each.
  std::pair<at::Tensor, at::Tensor> modulation(const std::string& block, const at::Tensor& latents) const {
    const auto linear = [&](const at::Tensor& x, const std::string& name) {
      return at::linear(x, weights.at(block + name + ".weight"), weights.at(block + name + ".bias"));
    };
    const auto hidden = at::relu(linear(latents.flatten(1), ".modulation.hidden"));
    const auto parts = linear(hidden, ".modulation.output").unsqueeze(-1).unsqueeze(-1).chunk(2, 1);
    return {1 + parts[0], parts[1]};
  }

  at::Tensor layer(at::Tensor x, int block, int last, const at::Tensor& input) const {
    const std::string name = "block" + std::to_string(block);
    const bool dense = transposed ? block == 0 : block == last;
    const auto& weight = weights.at(name + ".conv.weight");
    const auto& stride = dense ? one : two;
    const auto& padding = dense ? none : one;
    const auto bias = weights.contains(name + ".conv.bias") ? weights.at(name + ".conv.bias") : at::Tensor();
    x = transposed ? at::conv_transpose2d(x, weight, bias, stride, padding)
                   : at::conv2d(x, weight, bias, stride, padding);
    if (weights.contains(name + ".norm.weight")) {
      x = at::batch_norm(x, weights.at(name + ".norm.weight"), weights.at(name + ".norm.bias"), {}, {}, true, 0.1, 1e-5,
                         false);
    }
    if (weights.contains(name + ".modulation.output.weight")) {
      const auto [scale, shift] = modulation(name, input);
      x = at::batch_norm(x, {}, {}, {}, {}, true, 0.1, 1e-5, false) * scale + shift;
    }
    return block == last ? x : at::leaky_relu(x, slope);
  }

  at::Tensor forward(const at::Tensor& input) const {
    const int last = 3;  // 4 blocks at 32 x 32
    auto x = input;
    for (int block = 0; block <= last; ++block) x = layer(x, block, last, input);
    return transposed ? at::tanh(x) : x.flatten();
  }

  void adam(const at::Tensor& loss, int step, double rate) {
    const at::NoGradGuard no_gradients;
    std::vector<at::Tensor> inputs;
    for (const auto& [name, weight] : weights) inputs.push_back(weight);
    const auto gradients = torch::autograd::grad({loss}, inputs);
    std::size_t i = 0;
    for (auto& [name, weight] : weights) {
      const auto& g = gradients[i++];
      if (step == 1) average[name] = at::zeros_like(g), square[name] = at::zeros_like(g);
      average[name] = 0.5 * average[name] + 0.5 * g;
      square[name] = 0.999 * square[name] + 0.001 * g * g;
      weight.sub_(rate * (average[name] / (1 - std::pow(0.5, step))) /
                  ((square[name] / (1 - std::pow(0.999, step))).sqrt() + 1e-8));
    }
  }
};

at::Tensor cross_entropy(const at::Tensor& logits, double target) {
  return at::binary_cross_entropy_with_logits(logits, at::full_like(logits, target));
}

/// The relativistic loss is the cross-entropy of the differences within pairs.
at::Tensor plain_discriminator_loss(LossKind kind, const at::Tensor& real, const at::Tensor& fake) {
  switch (kind) {
    case LossKind::bce:
      return cross_entropy(real, 1) + cross_entropy(fake, 0);
    case LossKind::hinge:
      return (1 - real).clamp_min(0).mean() + (1 + fake).clamp_min(0).mean();
    case LossKind::wasserstein:
      return fake.mean() - real.mean();
    case LossKind::lsgan:
      return ((real - 1).pow(2).mean() + fake.pow(2).mean()) / 2;
    case LossKind::relativistic:
      return cross_entropy(real - fake, 1);
  }
  return {};
}

at::Tensor plain_generator_loss(LossKind kind, const at::Tensor& real, const at::Tensor& fake) {
  switch (kind) {
    case LossKind::bce:
      return cross_entropy(fake, 1);
    case LossKind::hinge:
    case LossKind::wasserstein:
      return -fake.mean();
    case LossKind::lsgan:
      return (fake - 1).pow(2).mean() / 2;
    case LossKind::relativistic:
      return cross_entropy(fake - real, 1);
  }
  return {};
}

/// The sum of the gradient penalties of `step`, counted from 1: R1 and R2 in the first of every r1_every steps, with
/// r1_every times their weights, and the penalty of WGAN-GP in every step. Returns an undefined tensor if none is due.
/// `real` and `fake` must require gradients.
at::Tensor plain_penalty(const PlainNetwork& discriminator, const Config& config, const at::Tensor& real,
                         const at::Tensor& fake, int step) {
  const auto& loss = config.loss;
  const std::int64_t steps_before = step - 1, count = real.size(0);
  const auto norms = [&](const at::Tensor& images) {
    const auto gradients = torch::autograd::grad({discriminator.forward(images).sum()}, {images}, {},
                                                 /*retain_graph=*/true, /*create_graph=*/true);
    return gradients.front().square().sum({1, 2, 3}).sqrt();
  };
  std::vector<at::Tensor> terms;
  if (steps_before % loss.r1_every == 0) {
    const double factor = static_cast<double>(loss.r1_every) / 2;
    if (loss.r1 > 0) terms.push_back(factor * loss.r1 * norms(real).square().mean());
    if (loss.r2 > 0) terms.push_back(factor * loss.r2 * norms(fake).square().mean());
  }
  if (loss.gradient_penalty > 0) {
    std::vector<float> draws(static_cast<std::size_t>(count));
    RandomStream(static_cast<std::uint64_t>(config.seed), "interpolation",
                 static_cast<std::uint64_t>(steps_before * count))
        .fill_uniform(draws, 0, 1);
    const auto share = at::tensor(draws).to(real.scalar_type()).view({-1, 1, 1, 1});
    const auto between = (share * real + (1 - share) * fake).detach().requires_grad_(true);
    terms.push_back(loss.gradient_penalty * (norms(between) - 1).square().mean());
  }
  return terms.empty() ? at::Tensor() : at::stack(terms).sum();
}

struct Differences {
  double loss = 0;    // the maximum over all steps, including the gradient penalty
  double weight = 0;  // the maximum after the last step
};

constexpr double learning_rate = 2e-4;

Config plain_config() {
  Config config;
  config.generator.width = config.discriminator.width = 8;
  config.optimizer.generator_lr = config.optimizer.discriminator_lr = learning_rate;
  config.loss.r1 = 0;
  config.ema.half_life_images = 0;
  return config;
}

/// Takes 20 steps with both implementations in the given precision. The differences between the losses are relative.
Differences after_20_steps(at::ScalarType type, const Config& config) {
  GanState state(config, 1, at::kCPU);
  PlainNetwork generator{weights_of(*state.generator), {}, {}, true, 0.2};
  PlainNetwork discriminator{weights_of(*state.discriminator), {}, {}, false, 0.2};
  at::manual_seed(3);
  const Compute compute{at::kCPU, type, 1};
  Differences differences;
  const auto compare = [&](double a, double b) { differences.loss = std::max(differences.loss, std::abs(a / b - 1)); };
  for (int step = 1; step <= 20; ++step) {
    const auto real = at::rand({16, 1, 32, 32}, at::kFloat) * 2 - 1;
    const auto latents = draw_latents(0, "latents", state.images_seen, 16, config.generator.latent_dim)
                             .to(at::typeMetaToScalarType(at::get_default_dtype()))
                             .view({16, -1, 1, 1});
    const auto stats = gan_step(state, config, compute, {real});

    const auto images = real.detach().to(latents.scalar_type()).requires_grad_(true);
    const auto fake = generator.forward(latents), fake_images = fake.detach().requires_grad_(true);
    const auto loss =
        plain_discriminator_loss(config.loss.kind, discriminator.forward(images), discriminator.forward(fake_images));
    const auto penalty = plain_penalty(discriminator, config, images, fake_images, step);
    EXPECT_EQ(stats.gradient_penalty.has_value(), penalty.defined());
    if (penalty.defined()) compare(stats.gradient_penalty.value(), penalty.item<double>());
    discriminator.adam(penalty.defined() ? loss + penalty : loss, step, learning_rate);
    const auto generator_loss =
        plain_generator_loss(config.loss.kind, discriminator.forward(images), discriminator.forward(fake));
    generator.adam(generator_loss, step, learning_rate);
    compare(stats.discriminator_loss, loss.item<double>());
    compare(stats.generator_loss, generator_loss.item<double>());
  }
  for (const auto& [ours, plain] :
       {std::pair<const torch::nn::Module*, const PlainNetwork*>(state.generator.get(), &generator),
        {state.discriminator.get(), &discriminator}}) {
    for (const auto& parameter : ours->named_parameters()) {
      const double difference = (parameter.value() - plain->weights.at(parameter.key())).abs().max().item<double>();
      differences.weight = std::max(differences.weight, difference);
    }
  }
  return differences;
}

void expect_plain_step_in_float64(const Config& config, double weight_tolerance = 1e-10) {
  const InFloat64 scope;
  const auto differences = after_20_steps(at::kDouble, config);
  EXPECT_LE(differences.loss, 1e-10);
  EXPECT_LE(differences.weight, weight_tolerance);
}

TEST(GanStep, MatchesThePlainStepInFloat64) { expect_plain_step_in_float64(plain_config()); }

// The plain step computes the gradients for the real and the generated images in a single backward pass.
TEST(GanStep, MatchesThePlainStepWithEachLossAndR1InFloat64) {
  for (const auto kind : {LossKind::bce, LossKind::hinge, LossKind::wasserstein, LossKind::lsgan}) {
    SCOPED_TRACE(static_cast<int>(kind));
    auto config = plain_config();
    config.loss.kind = kind;
    config.loss.r1 = 0.5;
    config.loss.r1_every = 2;
    expect_plain_step_in_float64(config);
  }
}

TEST(GanStep, MatchesThePlainStepWithSelfModulationInFloat64) {
  auto config = plain_config();
  config.generator.norm = GeneratorNorm::self_modulated;
  expect_plain_step_in_float64(config);
}

// With these initial weights, the gradients with respect to the images have norms of about 1, so every penalty
// contributes to the gradients of the weights. A missing or wrong term then changes the weights by more than 1 % of the
// learning rate in each step, which is at least three orders of magnitude more than the tolerance.
TEST(GanStep, MatchesThePlainStepWithEveryPenaltyAndTheRelativisticLossInFloat64) {
  auto config = plain_config();
  config.init.mode = InitMode::slope_matched;
  config.discriminator.norm = DiscriminatorNorm::none;
  config.loss.kind = LossKind::relativistic;
  config.loss.r1 = 0.5;
  config.loss.r2 = 1.5;  // differs from r1, so that the test fails if the two are swapped
  config.loss.r1_every = 2;
  config.loss.gradient_penalty = 2;
  // The last bias has no gradient, so Adam divides its rounding error by epsilon = 1e-8.
  expect_plain_step_in_float64(config, /*weight_tolerance=*/1e-9);
}

TEST(GanStep, MatchesThePlainStepWithEveryPenaltyThroughBatchNormInFloat64) {
  auto config = plain_config();
  config.init.mode = InitMode::slope_matched;
  config.loss.r1 = 0.5;
  config.loss.r2 = 1.5;
  config.loss.r1_every = 2;
  config.loss.gradient_penalty = 2;
  expect_plain_step_in_float64(config);
}

// Adam normalises gradients, so rounding errors of small gradients change the weights by fractions of the learning
// rate.
TEST(GanStep, MatchesThePlainStepInFloat32UpToRounding) {
  const auto differences = after_20_steps(at::kFloat, plain_config());
  EXPECT_LE(differences.loss, 5e-3);
  EXPECT_LE(differences.weight, 20 * learning_rate / 2);
}

TEST(GanStep, IsCloseToThePlainFloat32StepInBfloat16) {
  const auto differences = after_20_steps(at::kBFloat16, plain_config());
  EXPECT_LE(differences.loss, 0.05);
  EXPECT_LE(differences.weight, 20 * learning_rate);
}

}  // namespace
}  // namespace slopegan
