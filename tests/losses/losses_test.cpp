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

/// Two pairs of logits at which no loss is symmetric; the expected values below are the formulas by hand.
const auto real_pair = at::tensor({0.5, -1.5}, at::kDouble), fake_pair = at::tensor({2.0, -0.25}, at::kDouble);

double discriminator_value(const LossConfig& loss) {
  return discriminator_loss(loss, real_pair, fake_pair).item<double>();
}
double generator_value(const LossConfig& loss) { return generator_loss(loss, fake_pair, real_pair).item<double>(); }

TEST(Hinge, EqualsItsDefinition) {
  EXPECT_NEAR(discriminator_value(loss_of(LossKind::hinge)), (0.5 + 2.5) / 2 + (3 + 0.75) / 2, 1e-12);
  EXPECT_NEAR(generator_value(loss_of(LossKind::hinge)), -1.75 / 2, 1e-12);
}

TEST(Hinge, LeavesLogitsBeyondTheMarginAlone) {
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

TEST(LabelNoise, MovesTheTargetOfEachRealImage) {
  const auto noise = at::tensor({0.1, -0.2}, at::kDouble);
  const auto lsgan = discriminator_loss(loss_of(LossKind::lsgan), real_pair, fake_pair, noise).item<double>();
  EXPECT_NEAR(lsgan, (0.6 * 0.6 + 2.3 * 2.3) / 4 + (4 + 0.0625) / 4, 1e-12);
  const auto bce = discriminator_loss({}, real_pair, fake_pair, noise).item<double>();
  // The cross-entropy is linear in the target: d/dt = -logit.
  EXPECT_NEAR(bce, discriminator_value({}) - (0.1 * 0.5 - 0.2 * -1.5) / 2, 1e-12);
}

}  // namespace
}  // namespace slopegan
