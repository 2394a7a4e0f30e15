#include "losses/losses.h"

#include <cmath>
#include <functional>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "models/dcgan.h"

namespace slopegan {
namespace {

double log_sigmoid(double x) { return -std::log1p(std::exp(-x)); }

TEST(Bce, EqualsItsDefinition) {
  const auto real = at::tensor({0.5, -1.5}, at::kDouble), fake = at::tensor({2.0, -0.25}, at::kDouble);
  const double real_part = -(log_sigmoid(0.5) + log_sigmoid(-1.5)) / 2;
  const double fake_part = -(log_sigmoid(-2.0) + log_sigmoid(0.25)) / 2;
  EXPECT_NEAR(discriminator_loss({}, real, fake).item<double>(), real_part + fake_part, 1e-12);
  EXPECT_NEAR(generator_loss({}, fake).item<double>(), -(log_sigmoid(2.0) + log_sigmoid(-0.25)) / 2, 1e-12);
}

TEST(Bce, SmoothsTheRealLabelOfTheDiscriminatorOnly) {
  LossConfig smooth;
  smooth.real_label = 0.9;
  const auto real = at::tensor({0.7}, at::kDouble), fake = at::tensor({-0.3}, at::kDouble);
  const double expected = -(0.9 * log_sigmoid(0.7) + 0.1 * log_sigmoid(-0.7)) - log_sigmoid(0.3);
  EXPECT_NEAR(discriminator_loss(smooth, real, fake).item<double>(), expected, 1e-12);
  EXPECT_DOUBLE_EQ(generator_loss(smooth, fake).item<double>(), generator_loss({}, fake).item<double>());
}

TEST(Bce, StaysFiniteForLogitsThatSaturateTheSigmoid) {
  const auto real = at::tensor({-1e4}, at::kFloat), fake = at::tensor({1e4}, at::kFloat);
  EXPECT_FLOAT_EQ(discriminator_loss({}, real, fake).item<float>(), 2e4f);
  EXPECT_FLOAT_EQ(generator_loss({}, -fake).item<float>(), 1e4f);
}

LossConfig loss_of(LossKind kind) {
  LossConfig loss;
  loss.kind = kind;
  return loss;
}

/// The logits of two real and two generated images. They have no symmetry that could hide an error in a loss. The
/// expected values below were computed by hand.
const auto real_pair = at::tensor({0.5, -1.5}, at::kDouble), fake_pair = at::tensor({2.0, -0.25}, at::kDouble);

double discriminator_value(const LossConfig& loss) {
  return discriminator_loss(loss, real_pair, fake_pair).item<double>();
}
double generator_value(const LossConfig& loss) { return generator_loss(loss, fake_pair, real_pair).item<double>(); }

TEST(Hinge, EqualsItsDefinition) {
  EXPECT_NEAR(discriminator_value(loss_of(LossKind::hinge)), (0.5 + 2.5) / 2 + (3 + 0.75) / 2, 1e-12);
  EXPECT_NEAR(generator_value(loss_of(LossKind::hinge)), -1.75 / 2, 1e-12);
}

TEST(Hinge, IgnoresLogitsBeyondTheMargin) {
  const auto real = at::tensor({3.0}, at::kDouble), fake = at::tensor({-3.0}, at::kDouble);
  EXPECT_EQ(discriminator_loss(loss_of(LossKind::hinge), real, fake).item<double>(), 0);
}

TEST(Wasserstein, EqualsItsDefinition) {
  EXPECT_NEAR(discriminator_value(loss_of(LossKind::wasserstein)), 1.75 / 2 + 1.0 / 2, 1e-12);
  EXPECT_NEAR(generator_value(loss_of(LossKind::wasserstein)), -1.75 / 2, 1e-12);
}

TEST(Lsgan, EqualsItsDefinition) {
  EXPECT_NEAR(discriminator_value(loss_of(LossKind::lsgan)), (0.25 + 6.25) / 4 + (4 + 0.0625) / 4, 1e-12);
  EXPECT_NEAR(generator_value(loss_of(LossKind::lsgan)), (1 + 1.5625) / 4, 1e-12);
  auto smooth = loss_of(LossKind::lsgan);
  smooth.real_label = 0.5;
  EXPECT_NEAR(discriminator_value(smooth), (0 + 4) / 4.0 + (4 + 0.0625) / 4, 1e-12);
  EXPECT_EQ(generator_value(smooth), generator_value(loss_of(LossKind::lsgan)));
}

TEST(Relativistic, EqualsItsDefinition) {
  const double discriminator = -(log_sigmoid(0.5 - 2.0) + log_sigmoid(-1.5 + 0.25)) / 2;
  const double generator = -(log_sigmoid(2.0 - 0.5) + log_sigmoid(-0.25 + 1.5)) / 2;
  EXPECT_NEAR(discriminator_value(loss_of(LossKind::relativistic)), discriminator, 1e-12);
  EXPECT_NEAR(generator_value(loss_of(LossKind::relativistic)), generator, 1e-12);
}

TEST(DiscriminatorLoss, IsTheSumOfItsTermsForRealAndGeneratedImagesIfItHasSuchTerms) {
  for (const auto kind : {LossKind::bce, LossKind::hinge, LossKind::wasserstein, LossKind::lsgan}) {
    ASSERT_FALSE(needs_real_logits(kind));
    const auto loss = loss_of(kind);
    EXPECT_DOUBLE_EQ(loss_for_real(loss, real_pair).item<double>() + loss_for_fake(loss, fake_pair).item<double>(),
                     discriminator_value(loss));
  }
  ASSERT_TRUE(needs_real_logits(LossKind::relativistic));
  EXPECT_THROW(loss_for_real(loss_of(LossKind::relativistic), real_pair), c10::Error);
  EXPECT_THROW(loss_for_fake(loss_of(LossKind::relativistic), fake_pair), c10::Error);
}

TEST(LabelNoise, ShiftsTheTargetOfEachRealImage) {
  const auto noise = at::tensor({0.1, -0.2}, at::kDouble);
  const auto lsgan = discriminator_loss(loss_of(LossKind::lsgan), real_pair, fake_pair, noise).item<double>();
  EXPECT_NEAR(lsgan, (0.6 * 0.6 + 2.3 * 2.3) / 4 + (4 + 0.0625) / 4, 1e-12);
  const auto bce = discriminator_loss({}, real_pair, fake_pair, noise).item<double>();
  // The cross-entropy is linear in the target: d/dt = -logit.
  EXPECT_NEAR(bce, discriminator_value({}) - (0.1 * 0.5 - 0.2 * -1.5) / 2, 1e-12);
}

// --- Gradient penalties

at::Tensor images_like(std::vector<double> values) {
  return at::tensor(values, at::kDouble).view({-1, 1, 1, 2}).requires_grad_(true);
}

/// logit = a · x + |x|²/2, whose gradient is a + x.
at::Tensor quadratic(const at::Tensor& images, const at::Tensor& a) {
  return (images * a + images.square() / 2).sum({1, 2, 3});
}

TEST(SquaredGradientNorm, EqualsItsClosedFormAndIsDifferentiable) {
  const auto images = images_like({1, 2, -3, 0.5});
  const auto a = at::tensor({0.5, -1.0}, at::kDouble).view({1, 1, 1, 2}).requires_grad_(true);
  const auto value = squared_gradient_norm(quadratic(images, a), images);
  EXPECT_NEAR(value.item<double>(), (1.5 * 1.5 + 1 + 2.5 * 2.5 + 0.25) / 2, 1e-12);
  value.backward();
  // d/da of the mean of |a + x|² is 2 · mean(a + x).
  EXPECT_TRUE(at::allclose(a.grad().flatten(), at::tensor({-1.0, 0.5}, at::kDouble)));
}

TEST(UnitGradientPenalty, IsZeroForGradientsOfNormOne) {
  const auto images = images_like({1, 2});
  EXPECT_NEAR(unit_gradient_penalty((images * 0.6).sum({1, 2, 3}) + 0, images).item<double>(),
              std::pow(0.6 * std::sqrt(2.0) - 1, 2), 1e-9);
  const auto a = at::tensor({0.6, 0.8}, at::kDouble).view({1, 1, 1, 2});
  EXPECT_NEAR(unit_gradient_penalty((images * a).sum({1, 2, 3}), images).item<double>(), 0, 1e-9);
}

TEST(UnitGradientPenalty, HasAFiniteGradientIfTheLogitDoesNotDependOnTheImage) {
  const auto images = images_like({1, 2});
  const auto weight = at::zeros({1, 1, 1, 2}, at::kDouble).requires_grad_(true);
  const auto value = unit_gradient_penalty((images * weight).sum({1, 2, 3}), images);
  EXPECT_NEAR(value.item<double>(), 1, 1e-5);
  value.backward();
  EXPECT_TRUE(at::isfinite(weight.grad()).all().item<bool>());
}

TEST(InterpolateImages, InterpolatesEachPairWithItsOwnWeight) {
  const auto real = at::ones({2, 1, 1, 2}, at::kDouble), fake = -real;
  const auto mixed = interpolate_images(real, fake, at::tensor({0.25f, 1.0f}));
  EXPECT_TRUE(at::equal(mixed.flatten(), at::tensor({-0.5, -0.5, 1.0, 1.0}, at::kDouble)));
  EXPECT_TRUE(mixed.requires_grad());
}

/// Compares the gradient of a penalty on a complete discriminator with central differences, in one random direction per
/// parameter. This exercises the second derivatives of all layers.
void expect_numerical_gradient(DiscriminatorNorm norm, double slope,
                               const std::function<at::Tensor(const at::Tensor&, const at::Tensor&)>& penalty) {
  DiscriminatorConfig config;
  config.width = 4;
  config.norm = norm;
  config.negative_slope = NegativeSlope(slope);
  Discriminator discriminator(config, 32, 1, 0);
  discriminator->initialise({InitMode::slope_matched, 0.02}, 5);
  discriminator->to(at::kDouble);
  at::manual_seed(7);
  const auto images = (at::rand({3, 1, 32, 32}, at::kDouble) * 2 - 1).requires_grad_(true);
  if (norm == DiscriminatorNorm::spectral) {
    // The forward pass in training mode normalises u. In evaluation mode u is constant, so the weight is divided by
    // |W'u|, which is a function of W alone.
    discriminator->forward(images);
    discriminator->eval();
  }
  const auto value = [&] { return penalty(discriminator->forward(images), images); };
  const auto parameters = discriminator->parameters();
  value().backward();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    // The last bias shifts all logits equally, so its gradient is 0 and may be undefined in autograd.
    const auto gradient = parameters[i].grad().defined() ? parameters[i].grad() : at::zeros_like(parameters[i]);
    const auto direction = at::randn_like(parameters[i]);
    constexpr double step = 1e-7;
    const auto moved = [&](double by) {
      {
        const at::NoGradGuard no_gradients;
        parameters[i].add_(direction, by);
      }
      const double result = value().item<double>();
      const at::NoGradGuard no_gradients;
      parameters[i].sub_(direction, by);
      return result;
    };
    const double numerical = (moved(step) - moved(-step)) / (2 * step);
    const double analytical = (gradient * direction).sum().item<double>();
    EXPECT_NEAR(analytical, numerical, 1e-4 * std::max(1.0, std::abs(numerical))) << i;
  }
}

TEST(SquaredGradientNorm, MatchesItsNumericalGradientInADiscriminator) {
  expect_numerical_gradient(DiscriminatorNorm::none, 0.2, squared_gradient_norm);
}

TEST(UnitGradientPenalty, MatchesItsNumericalGradientInADiscriminator) {
  expect_numerical_gradient(DiscriminatorNorm::none, 0.01, unit_gradient_penalty);
}

TEST(SquaredGradientNorm, MatchesItsNumericalGradientThroughBatchNorm) {
  expect_numerical_gradient(DiscriminatorNorm::batch, 0.2, squared_gradient_norm);
}

TEST(SquaredGradientNorm, MatchesItsNumericalGradientThroughSpectralNorm) {
  // With spectral norm, the gradient with respect to an image has a norm of only about 0.1. The factor makes the
  // derivatives large compared to the absolute tolerance.
  expect_numerical_gradient(DiscriminatorNorm::spectral, 0.2, [](const at::Tensor& logits, const at::Tensor& images) {
    return 1000 * squared_gradient_norm(logits, images);
  });
}

}  // namespace
}  // namespace slopegan
