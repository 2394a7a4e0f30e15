#include "training/gan_step.h"

#include <cmath>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/enums.h"
#include "losses/losses.h"
#include "sampling/samples.h"
#include "support/errors.h"

namespace slopegan {
namespace {

Config small_config() {
  Config config;
  config.generator.width = config.discriminator.width = 4;
  config.generator.latent_dim = 8;
  config.loss.r1 = 0;
  config.loss.r1_every = 1;
  return config;
}

const Compute cpu{at::kCPU, at::kFloat, 1};

at::Tensor reals(std::int64_t count = 8) {
  at::manual_seed(3);
  return at::rand({count, 1, 32, 32}) * 2 - 1;
}

void expect_same_tensors(const NamedTensors& a, const NamedTensors& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, tensor] : a) {
    ASSERT_TRUE(b.contains(name)) << name;
    EXPECT_TRUE(at::equal(tensor, b.at(name))) << name;
  }
}

NamedTensors copies(const NamedTensors& tensors) {
  NamedTensors copied;
  for (const auto& [name, tensor] : tensors) copied.emplace(name, tensor.detach().clone());
  return copied;
}

NamedTensors parameters_of(const torch::nn::Module& module) {
  NamedTensors parameters;
  for (const auto& parameter : module.named_parameters()) parameters.emplace(parameter.key(), parameter.value());
  return parameters;
}

TEST(GanStep, DependsOnlyOnTheStateAndTheImages) {
  GanState a(small_config(), 1, at::kCPU), b(small_config(), 1, at::kCPU);
  for (int i = 0; i < 3; ++i) {
    gan_step(a, small_config(), cpu, {reals()});
    gan_step(b, small_config(), cpu, {reals()});
  }
  expect_same_tensors(a.tensors(), b.tensors());
  EXPECT_EQ(a.images_seen, 24);
  EXPECT_EQ(a.steps, 3);
}

TEST(GanStep, ContinuesBitForBitFromRestoredTensors) {
  GanState whole(small_config(), 1, at::kCPU), half(small_config(), 1, at::kCPU), rest(small_config(), 1, at::kCPU);
  for (int i = 0; i < 3; ++i) gan_step(half, small_config(), cpu, {reals()});
  rest.restore(copies(half.tensors()));
  for (int i = 0; i < 3; ++i) gan_step(rest, small_config(), cpu, {reals()});
  for (int i = 0; i < 6; ++i) gan_step(whole, small_config(), cpu, {reals()});
  expect_same_tensors(rest.tensors(), whole.tensors());
}

TEST(TakeTrialStep, RestoresTheLearningRatesOfTheLastStepOfTheRun) {
  Config config = small_config();
  config.training.batch_size = 8;
  config.training.total_images = 24;
  config.optimizer.lr_decay = LearningRateDecay::linear;
  config.optimizer.lr_decay_images = config.optimizer.lr_warmup_images = 0;
  GanState state(config, 1, at::kCPU);
  for (int i = 0; i < 3; ++i) gan_step(state, config, cpu, {reals()});
  take_trial_step(state, config, cpu, {reals()});
  const auto rate = [&](const Adam& optimizer) {
    const auto& slot = optimizer.slots().front();
    const double with_rate = optimizer.last_update(slot).abs().max().item<double>();
    Adam full = optimizer;
    full.set_rate_factor(1);
    return with_rate / full.last_update(slot).abs().max().item<double>();
  };
  // The last of the three steps began after two thirds of the images. At the end of training, the rates are 0.
  EXPECT_NEAR(rate(state.generator_optimizer), 1.0 / 3, 1e-6);
  EXPECT_NEAR(rate(state.discriminator_optimizer), 1.0 / 3, 1e-6);
}

TEST(GanStep, TrainsBothNetworksAndTheAverage) {
  GanState state(small_config(), 1, at::kCPU);
  const auto before = copies(state.tensors());
  const auto stats = gan_step(state, small_config(), cpu, {reals()});
  for (const auto& [name, tensor] : before) EXPECT_FALSE(at::equal(tensor, state.tensors().at(name))) << name;
  EXPECT_NEAR(stats.discriminator_loss, 2 * std::log(2), 0.5);
  EXPECT_GT(stats.discriminator_gradient_norm, 0);
  EXPECT_GT(stats.generator_gradient_norm, 0);
  GanState untrained(small_config(), 1, at::kCPU);
  const auto mean_probability = [&](const at::Tensor& images) {
    return untrained.discriminator->forward(images).sigmoid().mean().item<double>();
  };
  EXPECT_NEAR(stats.d_real, mean_probability(reals()), 1e-5);
  EXPECT_NEAR(stats.d_fake, mean_probability(untrained.generator->forward(draw_latents(0, "latents", 0, 8, 8))), 1e-5);
}

TEST(GanStep, DecaysTheAverageAccordingToAllImagesOfTheStep) {
  auto config = small_config();
  config.ema.half_life_images = 10000;
  config.optimizer.discriminator_steps = 2;
  config.optimizer.generator_lr = 0.01;
  GanState state(config, 1, at::kCPU);
  state.images_seen = 100;
  const auto start = copies(parameters_of(*state.generator));
  gan_step(state, config, cpu, {reals(4), reals(2)});
  // If the images of this step did not count as seen, the decay would be 0.02 lower. If the step consisted of its last
  // batch alone, the decay would be 0.3 higher. Both would change the averages by more than 1e-4.
  const double decay = ema_decay(10000, 106, 6);
  EXPECT_NEAR(decay, 0.456, 1e-3);
  const auto averages = parameters_of(*state.ema_generator);
  for (const auto& [name, live] : parameters_of(*state.generator)) {
    const auto expected = start.at(name).lerp(live.detach(), 1 - decay);
    EXPECT_TRUE(at::allclose(averages.at(name), expected, 0, 1e-6)) << name;
  }
}

TEST(GanStep, AddsNoGradientsToTheDiscriminatorInTheGeneratorsStep) {
  auto config = small_config();
  GanState state(config, 1, at::kCPU);
  gan_step(state, config, cpu, {reals()});
  // The gradients are those of the discriminator's own step, which a separate backward pass reproduces.
  GanState reference(config, 1, at::kCPU);
  const auto fake = reference.generator->forward(draw_latents(0, "latents", 0, 8, 8)).detach();
  discriminator_loss(config.loss, reference.discriminator->forward(reals()), reference.discriminator->forward(fake))
      .backward();
  for (std::size_t i = 0; i < state.discriminator->parameters().size(); ++i) {
    EXPECT_TRUE(at::allclose(state.discriminator->parameters()[i].grad(),
                             reference.discriminator->parameters()[i].grad(), 1e-4, 1e-6));
    EXPECT_TRUE(state.discriminator->parameters()[i].requires_grad());
  }
}

TEST(GanStep, TakesOneDiscriminatorStepPerBatch) {
  auto config = small_config();
  config.optimizer.discriminator_steps = 3;
  GanState state(config, 1, at::kCPU);
  gan_step(state, config, cpu, {reals(), reals(4), reals(2)});
  EXPECT_EQ(state.images_seen, 14);
  EXPECT_EQ(state.steps, 1);
  EXPECT_EQ(state.discriminator_optimizer.state().at("block0.conv.weight.step").item<float>(), 3);
  EXPECT_EQ(state.generator_optimizer.state().at("block0.conv.weight.step").item<float>(), 1);
}

TEST(GanStep, StartsWithTheSameWeightsForEverySlope) {
  const auto config = small_config();
  auto other = config;
  other.generator.negative_slope = other.discriminator.negative_slope = NegativeSlope(0.0);
  GanState a(config, 1, at::kCPU), b(other, 1, at::kCPU);
  expect_same_tensors(a.tensors(), b.tensors());
}

/// Returns a configuration with every loss term and augmentation, and without batch norm in the discriminator.
Config everything_config(LossKind kind) {
  auto config = small_config();
  config.discriminator.norm = DiscriminatorNorm::none;
  config.loss.kind = kind;
  config.loss.label_noise = 0.1;
  config.loss.r1 = config.loss.r2 = 0.5;
  config.loss.r1_every = 2;
  config.loss.gradient_penalty = 1;
  config.discriminator.augment = {Augmentation::color, Augmentation::translation, Augmentation::cutout};
  config.optimizer.lr_warmup_images = 16;
  config.optimizer.lr_decay = LearningRateDecay::cosine;
  config.training.total_images = 64;
  return config;
}

class GanStepWithEachLoss : public ::testing::TestWithParam<LossKind> {};

TEST_P(GanStepWithEachLoss, ContinuesBitForBitFromRestoredTensors) {
  const auto config = everything_config(GetParam());
  GanState whole(config, 1, at::kCPU), half(config, 1, at::kCPU), rest(config, 1, at::kCPU);
  for (int i = 0; i < 3; ++i) gan_step(half, config, cpu, {reals()});
  rest.restore(copies(half.tensors()));
  for (int i = 0; i < 2; ++i) gan_step(rest, config, cpu, {reals()});
  for (int i = 0; i < 5; ++i) gan_step(whole, config, cpu, {reals()});
  expect_same_tensors(rest.tensors(), whole.tensors());
}

TEST_P(GanStepWithEachLoss, LowersTheDiscriminatorsLoss) {
  auto config = small_config();
  config.loss.kind = GetParam();
  config.discriminator.norm = DiscriminatorNorm::none;
  config.optimizer.discriminator_lr = 1e-3;
  config.optimizer.generator_lr = 1e-12;
  GanState state(config, 1, at::kCPU);
  const double before = gan_step(state, config, cpu, {reals()}).discriminator_loss;
  StepStats after;
  for (int i = 0; i < 30; ++i) after = gan_step(state, config, cpu, {reals()});
  EXPECT_LT(after.discriminator_loss, before - 0.1);
}

TEST_P(GanStepWithEachLoss, StaysFiniteInBfloat16) {
  const auto config = everything_config(GetParam());
  GanState state(config, 1, at::kCPU);
  for (int i = 0; i < 4; ++i) gan_step(state, config, {at::kCPU, at::kBFloat16, 1}, {reals()});
  EXPECT_EQ(state.steps, 4);
}

INSTANTIATE_TEST_SUITE_P(, GanStepWithEachLoss,
                         ::testing::Values(LossKind::bce, LossKind::hinge, LossKind::wasserstein, LossKind::lsgan,
                                           LossKind::relativistic),
                         [](const auto& kind) { return std::string(name_of(kind.param)); });

TEST(GanStep, AddsR1EveryOtherStepWithTwiceTheWeight) {
  auto config = small_config();
  config.discriminator.norm = DiscriminatorNorm::none;
  config.loss.r1 = 3;
  GanState always(config, 1, at::kCPU), lazy(config, 1, at::kCPU);
  const auto each = gan_step(always, config, cpu, {reals()});
  config.loss.r1_every = 2;
  const auto first = gan_step(lazy, config, cpu, {reals()}), second = gan_step(lazy, config, cpu, {reals()});
  ASSERT_TRUE(each.gradient_penalty && first.gradient_penalty);
  EXPECT_GT(*each.gradient_penalty, 0);
  EXPECT_NEAR(*first.gradient_penalty, 2 * *each.gradient_penalty, 1e-6);
  EXPECT_FALSE(second.gradient_penalty);
}

TEST(GanStep, KeepsThePenaltyOfAnEarlierBatchOfTheStep) {
  auto config = small_config();
  config.loss.r1 = 3;
  config.loss.r1_every = 4;
  config.optimizer.discriminator_steps = 2;
  GanState state(config, 1, at::kCPU);
  EXPECT_TRUE(gan_step(state, config, cpu, {reals(), reals()}).gradient_penalty);  // on the first of every four batches
  EXPECT_FALSE(gan_step(state, config, cpu, {reals(), reals()}).gradient_penalty);
}

TEST(GanStep, ComputesR1AsHalfItsWeightTimesTheMeanSquaredGradient) {
  auto config = small_config();
  config.discriminator.norm = DiscriminatorNorm::none;
  config.loss.r1 = 3;
  GanState state(config, 1, at::kCPU), reference(config, 1, at::kCPU);
  const auto images = reals().requires_grad_(true);
  reference.discriminator->forward(images).sum().backward();
  const double expected = 1.5 * images.grad().square().sum({1, 2, 3}).mean().item<double>();
  EXPECT_NEAR(gan_step(state, config, cpu, {reals()}).gradient_penalty.value(), expected, 1e-5 * expected);
}

TEST(GanStep, FollowsTheLearningRateSchedule) {
  auto config = small_config();
  config.training.total_images = 64;
  config.optimizer.lr_decay = LearningRateDecay::linear;
  config.optimizer.lr_decay_images = 8;
  GanState state(config, 1, at::kCPU);
  gan_step(state, config, cpu, {reals()});
  const auto before = copies(parameters_of(*state.generator));
  gan_step(state, config, cpu, {reals()});  // at 8 images the learning rate is 0
  expect_same_tensors(copies(parameters_of(*state.generator)), before);
}

TEST(GanStep, StaysCloseToFloat32InBfloat16) {
  GanState wide(small_config(), 1, at::kCPU), narrow(small_config(), 1, at::kCPU);
  const auto exact = gan_step(wide, small_config(), cpu, {reals()});
  const auto rounded = gan_step(narrow, small_config(), {at::kCPU, at::kBFloat16, 1}, {reals()});
  EXPECT_NEAR(rounded.discriminator_loss, exact.discriminator_loss, 0.05);
  EXPECT_NEAR(rounded.generator_loss, exact.generator_loss, 0.05);
}

TEST(GanStep, StopsAtTheFirstValueThatIsNotFinite) {
  GanState state(small_config(), 1, at::kCPU);
  {
    const at::NoGradGuard no_gradients;
    state.generator->blocks[1]->conv->weight[0][0][0][0] = std::nan("");
  }
  const auto before = copies(parameters_of(*state.discriminator));
  try {
    gan_step(state, small_config(), cpu, {reals()});
    FAIL() << "the step was taken";
  } catch (const DivergedError& error) {
    EXPECT_NE(std::string(error.what()).find("at step 0 (0 images)"), std::string::npos) << error.what();
  }
  expect_same_tensors(copies(parameters_of(*state.discriminator)), before);
}

TEST(GanStep, NamesTheTensorWhoseGradientIsNotFinite) {
  auto config = small_config();
  config.discriminator.norm = DiscriminatorNorm::none;
  GanState state(config, 1, at::kCPU);
  // The logits are zero and the loss is finite, but the gradient of the first layer is a product of factors of 1e18.
  {
    const at::NoGradGuard no_gradients;
    for (auto& block : state.discriminator->blocks) block->conv->weight.fill_(1e18f);
    state.discriminator->blocks.front()->conv->weight.zero_();
  }
  const auto before = copies(parameters_of(*state.discriminator));
  try {
    gan_step(state, config, cpu, {reals()});
    FAIL() << "the step was taken";
  } catch (const DivergedError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("at step 0 (0 images): the gradient of discriminator.block0.conv."));
  }
  expect_same_tensors(copies(parameters_of(*state.discriminator)), before);
}

TEST(GanState, RejectsTensorsOfADifferentArchitecture) {
  auto other = small_config();
  other.generator.width = 6;
  GanState state(small_config(), 1, at::kCPU), wide(other, 1, at::kCPU);
  try {
    state.restore(wide.tensors());
    FAIL() << "the tensors were restored";
  } catch (const CheckpointError& error) {
    EXPECT_NE(std::string(error.what()).find("ema.block0.conv.weight is [8, 24, 4, 4] Float, not [8, 16, 4, 4]"),
              std::string::npos)
        << error.what();
  }
  auto missing = copies(state.tensors());
  missing.erase("counters");
  EXPECT_THROW(state.restore(missing), CheckpointError);
  auto unknown = copies(state.tensors());
  unknown.emplace("extra", at::zeros({1}));
  EXPECT_THROW(state.restore(unknown), CheckpointError);
}

}  // namespace
}  // namespace slopegan
