#include "losses/adversarial.h"

#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

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

TEST(Bce, SmoothsTheRealLabelOfTheDiscriminatorAlone) {
  const LossConfig smooth{LossKind::bce, 0.9};
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

}  // namespace
}  // namespace slopegan
