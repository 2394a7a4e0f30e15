#include "layers/activation.h"

#include <cmath>
#include <memory>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "layers/leaky_relu.h"
#include "numerical_gradient.h"

namespace slopegan {
namespace {

TEST(LeakyReLU, HasTheSlopeFromThePaperByDefault) {
  LeakyReLU layer;
  EXPECT_DOUBLE_EQ(layer->negative_slope(), 0.01);
  EXPECT_FLOAT_EQ(layer->forward(at::full({1}, -2.0)).item<float>(), -0.02f);
}

TEST(LeakyReLU, FollowsItsScheduleOverTheImagesSeen) {
  struct Case {
    SlopeShape shape;
    double half_way;
  };
  for (const auto& [shape, half_way] :
       {Case{SlopeShape::linear, 0.26}, Case{SlopeShape::cosine, 0.26}, Case{SlopeShape::log, std::sqrt(0.5 * 0.02)}}) {
    LeakyReLU layer(LeakyReLUOptions{SlopeSchedule{0.5, 0.02, 1000, shape}});
    EXPECT_DOUBLE_EQ(layer->negative_slope(), 0.5);
    layer->set_images(500);
    EXPECT_NEAR(layer->negative_slope(), half_way, 1e-12);
    EXPECT_NEAR(layer->forward(at::full({1}, -1.0, at::kDouble)).item<double>(), -half_way, 1e-12);
    layer->set_images(1000);
    EXPECT_DOUBLE_EQ(layer->negative_slope(), 0.02);
    layer->set_images(5000);
    EXPECT_DOUBLE_EQ(layer->negative_slope(), 0.02);
  }
}

TEST(LeakyReLU, OverwritesItsInputIfInPlace) {
  LeakyReLU layer(LeakyReLUOptions{0.5, /*inplace=*/true});
  const auto x = at::full({2}, -1.0);
  const auto y = layer->forward(x);
  EXPECT_EQ(x.data_ptr(), y.data_ptr());
  EXPECT_FLOAT_EQ(x[0].item<float>(), -0.5f);
}

TEST(LeakyReLU, RejectsInvalidSlopes) {
  EXPECT_THROW(LeakyReLU(LeakyReLUOptions{std::nan("")}), c10::ValueError);
  EXPECT_THROW(LeakyReLU(LeakyReLUOptions{-0.1, /*inplace=*/true}), c10::ValueError);
  EXPECT_NO_THROW(LeakyReLU(LeakyReLUOptions{-0.1}));
}

TEST(PReLU, ComputesTheGradientOfItsSlope) {
  PReLU layer(PReLUOptions{1, 0.25});
  const auto x = at::full({4, 1}, -1.0);
  layer->forward(x).sum().backward();
  EXPECT_FLOAT_EQ(layer->parameters().at(0).grad().item<float>(), -4.0f);
}

TEST(PReLU, HasOneSlopeOrOnePerChannel) {
  EXPECT_EQ(PReLU(PReLUOptions{1, 0.25})->parameters().at(0).numel(), 1);
  EXPECT_EQ(PReLU(PReLUOptions{8, 0.25})->parameters().at(0).numel(), 8);
}

TEST(PReLU, BoundedSlopeStartsAtItsInitialValueAndStaysInTheUnitInterval) {
  PReLU layer(PReLUOptions{3, 0.2, /*bounded=*/true});
  EXPECT_NEAR(layer->negative_slope(), 0.2, 1e-7);
  EXPECT_NEAR(layer->parameters().at(0)[0].item<double>(), std::log(0.25), 1e-6);
  {
    const at::NoGradGuard no_gradients;
    layer->parameters().at(0).fill_(20);
  }
  EXPECT_LE(layer->negative_slope(), 1.0);
  const auto y = layer->forward(at::full({2, 3, 1}, -1.0));
  EXPECT_GE(y.min().item<double>(), -1.0);
}

TEST(PReLU, RejectsInvalidOptions) {
  EXPECT_THROW(PReLU(PReLUOptions{1, 1.0, true}), c10::ValueError);
  EXPECT_THROW(PReLU(PReLUOptions{1, 0.0, true}), c10::ValueError);
  EXPECT_THROW(PReLU(PReLUOptions{0, 0.2}), c10::ValueError);
  EXPECT_THROW(PReLU(PReLUOptions{1, std::nan("")}), c10::ValueError);
}

at::Tensor drawn_slopes(RReLU& layer) { return -layer->forward(at::full({100, 100}, -1.0)); }

TEST(RReLU, DrawsTheSlopeLikePyTorchOrTheDivisorLikeXuEtAl) {
  RReLU slope(RReLUOptions{RReLUDefinition::slope, 0, "a"});
  const auto slopes = drawn_slopes(slope).to(at::kDouble);
  EXPECT_GE(slopes.min().item<double>(), 1.0 / 8 - 1e-7);
  EXPECT_LE(slopes.max().item<double>(), 1.0 / 3 + 1e-7);
  EXPECT_NEAR(slopes.mean().item<double>(), 11.0 / 48, 5 * (5.0 / 24) / std::sqrt(12.0 * 1e4));

  RReLU divisor(RReLUOptions{RReLUDefinition::divisor, 0, "a"});
  const auto divisors = drawn_slopes(divisor).to(at::kDouble).reciprocal();
  EXPECT_GE(divisors.min().item<double>(), 3 - 1e-5);
  EXPECT_LE(divisors.max().item<double>(), 8 + 1e-5);
  EXPECT_NEAR(divisors.mean().item<double>(), 5.5, 5 * 5 / std::sqrt(12.0 * 1e4));
}

TEST(RReLU, UsesTheFixedSlopeOfItsDefinitionInEvaluation) {
  RReLU slope(RReLUOptions{RReLUDefinition::slope});
  RReLU divisor(RReLUOptions{RReLUDefinition::divisor});
  slope->eval();
  divisor->eval();
  const auto x = at::full({2}, -1.0, at::kDouble);
  EXPECT_DOUBLE_EQ(slope->forward(x)[0].item<double>(), -11.0 / 48);
  EXPECT_DOUBLE_EQ(divisor->forward(x)[0].item<double>(), -2.0 / 11);
}

TEST(RReLU, UsesTheDrawOfTheForwardPassInTheBackwardPass) {
  RReLU layer(RReLUOptions{RReLUDefinition::slope, 3, "layer"});
  const auto x = at::full({50}, -2.0).requires_grad_();
  const auto y = layer->forward(x);
  y.sum().backward();
  EXPECT_TRUE(at::allclose(x.grad() * x.detach(), y.detach()));
}

TEST(RReLU, FirstAndSecondDerivativesMatchNumericalOnes) {
  for (const auto definition : {RReLUDefinition::slope, RReLUDefinition::divisor}) {
    RReLU layer(RReLUOptions{definition, 3, "layer"});
    const auto f = [&layer](const std::vector<at::Tensor>& in) {
      layer->set_images(64);  // repeats the same draws
      return layer->forward(in[0]).pow(3).sum();
    };
    const auto x = at::linspace(-1.95, 2, 20, at::kDouble);
    EXPECT_LT(testing::gradient_error(f, {x}), 1e-6);
    EXPECT_LT(testing::gradient_error(testing::scalar_of_gradients(f), {x}), 1e-5);
  }
}

TEST(PReLU, FirstAndSecondDerivativesThroughTheSigmoidMatchNumericalOnes) {
  const auto f = [](const std::vector<at::Tensor>& in) { return slopegan::prelu(in[0], in[1].sigmoid()).pow(3).sum(); };
  const auto x = at::linspace(-1.95, 2, 12, at::kDouble).view({2, 3, 2});
  const auto logits = at::tensor({-1.0, 0.0, 2.0}, at::kDouble);
  EXPECT_LT(testing::gradient_error(f, {x, logits}), 1e-6);
  EXPECT_LT(testing::gradient_error(testing::scalar_of_gradients(f), {x, logits}), 1e-5);
}

TEST(RReLU, RepeatsItsDrawsForTheSameImageCount) {
  RReLU layer(RReLUOptions{RReLUDefinition::slope, 3, "layer"});
  layer->set_images(640);
  const auto first = drawn_slopes(layer), second = drawn_slopes(layer);
  EXPECT_FALSE(at::equal(first, second));
  layer->set_images(704);
  EXPECT_FALSE(at::equal(first, drawn_slopes(layer)));
  layer->set_images(640);
  EXPECT_TRUE(at::equal(first, drawn_slopes(layer)));
  EXPECT_TRUE(at::equal(second, drawn_slopes(layer)));
}

TEST(RReLU, PassesPositiveValuesAndNanUnchanged) {
  RReLU layer;
  const auto y = layer->forward(at::tensor({2.0, std::nan("")}));
  EXPECT_DOUBLE_EQ(y[0].item<double>(), 2.0);
  EXPECT_TRUE(std::isnan(y[1].item<double>()));
}

TEST(Activation, ReportsItsProperties) {
  LeakyReLU fixed(LeakyReLUOptions{0.2}),
      scheduled(LeakyReLUOptions{SlopeSchedule{0.5, 0.1, 1000, SlopeShape::linear}});
  PReLU learned(PReLUOptions{3, 0.25});
  RReLU random;
  scheduled->set_images(500);
  EXPECT_TRUE(fixed->is_repeatable() && learned->is_repeatable());
  EXPECT_FALSE(scheduled->is_repeatable() || random->is_repeatable());
  EXPECT_EQ(fixed->leaky_relu_slope(), 0.2);
  EXPECT_EQ(learned->leaky_relu_slope(), std::nullopt);
  EXPECT_EQ(random->leaky_relu_slope(), std::nullopt);
  EXPECT_EQ(fixed->moving_slope(), std::nullopt);
  EXPECT_EQ(random->moving_slope(), std::nullopt);
  EXPECT_DOUBLE_EQ(scheduled->moving_slope().value(), 0.3);
  EXPECT_DOUBLE_EQ(learned->moving_slope().value(), 0.25);
}

TEST(Activation, FreezeReturnsTheFunctionInEvaluationMode) {
  const auto x = at::randn({2, 3, 4, 4});
  const std::vector<std::shared_ptr<ActivationImpl>> activations = {
      LeakyReLU(LeakyReLUOptions{0.2}).ptr(), PReLU(PReLUOptions{3, 0.25}).ptr(),
      PReLU(PReLUOptions{1, 0.3, /*bounded=*/true}).ptr(), RReLU().ptr()};
  for (const auto& activation : activations) {
    activation->eval();
    EXPECT_TRUE(at::equal(activate(activation->freeze(), x), activation->forward(x))) << activation->description();
  }
}

}  // namespace
}  // namespace slopegan
