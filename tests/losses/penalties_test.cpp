#include "losses/penalties.h"

#include <cmath>
#include <functional>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "models/discriminator.h"

namespace slopegan {
namespace {

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

TEST(UnitGradientPenalty, IsZeroWhereTheGradientHasLengthOne) {
  const auto images = images_like({1, 2});
  EXPECT_NEAR(unit_gradient_penalty((images * 0.6).sum({1, 2, 3}) + 0, images).item<double>(),
              std::pow(0.6 * std::sqrt(2.0) - 1, 2), 1e-9);
  const auto a = at::tensor({0.6, 0.8}, at::kDouble).view({1, 1, 1, 2});
  EXPECT_NEAR(unit_gradient_penalty((images * a).sum({1, 2, 3}), images).item<double>(), 0, 1e-9);
}

TEST(UnitGradientPenalty, KeepsWeightsFiniteWhereThereIsNoGradient) {
  const auto images = images_like({1, 2});
  const auto weight = at::zeros({1, 1, 1, 2}, at::kDouble).requires_grad_(true);
  const auto value = unit_gradient_penalty((images * weight).sum({1, 2, 3}), images);
  EXPECT_NEAR(value.item<double>(), 1, 1e-5);
  value.backward();
  EXPECT_TRUE(at::isfinite(weight.grad()).all().item<bool>());
}

TEST(InterpolateImages, MixesEachPairWithItsOwnWeight) {
  const auto real = at::ones({2, 1, 1, 2}, at::kDouble), fake = -real;
  const auto mixed = interpolate_images(real, fake, at::tensor({0.25f, 1.0f}));
  EXPECT_TRUE(at::equal(mixed.flatten(), at::tensor({-0.5, -0.5, 1.0, 1.0}, at::kDouble)));
  EXPECT_TRUE(mixed.requires_grad());
}

/// Both penalties of a real discriminator with our activation, against central differences in each of its weights'
/// random directions: what second derivatives of the layers are for.
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
  const auto value = [&] { return penalty(discriminator->forward(images), images); };
  const auto parameters = discriminator->parameters();
  value().backward();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    // The last bias moves all logits alike: no gradient, and none is stored.
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

TEST(SquaredGradientNorm, HasItsNumericalGradientInADiscriminator) {
  expect_numerical_gradient(DiscriminatorNorm::none, 0.2, squared_gradient_norm);
}

TEST(UnitGradientPenalty, HasItsNumericalGradientInADiscriminator) {
  expect_numerical_gradient(DiscriminatorNorm::none, 0.01, unit_gradient_penalty);
}

TEST(SquaredGradientNorm, HasItsNumericalGradientThroughBatchNorm) {
  expect_numerical_gradient(DiscriminatorNorm::batch, 0.2, squared_gradient_norm);
}

}  // namespace
}  // namespace slopegan
