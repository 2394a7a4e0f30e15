#include "layers/batch_norm.h"

#include <limits>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "expect_error.h"
#include "layers/batch_norm_derivatives.h"
#include "layers/leaky_relu.h"
#include "numerical_gradient.h"

namespace slopegan {
namespace {

using ::slopegan::testing::equal_ranks;
using ::slopegan::testing::gradient_error;
using ::slopegan::testing::in_float64;
using ::slopegan::testing::keep_away_from_zero;
using ::slopegan::testing::norm_derivatives;
using ::testing::HasSubstr;

struct NormCase {
  std::int64_t count, channels, height, width;
};

// The kernels process strips of channels and blocks of rows. The cases have fewer and more channels than a strip, and
// numbers of channels that are not multiples of its width. One case has more rows than a block.
const std::vector<NormCase> norm_cases = {{4, 5, 6, 6}, {3, 64, 4, 4}, {2, 100, 3, 5}, {64, 32, 16, 16}, {2, 1, 1, 1}};
constexpr double norm_slopes[] = {0, 0.01, 0.2, 1, 1.5, -0.3};

BatchNormState make_state(std::int64_t channels, at::ScalarType type) {
  const auto options = at::TensorOptions(type);
  return {(at::rand({channels}, options) + 0.5).requires_grad_(true),
          at::randn({channels}, options).requires_grad_(true), at::zeros({channels}, options),
          at::ones({channels}, options)};
}

at::Tensor norm_reference(const at::Tensor& x, const BatchNormState& norm, double slope) {
  const auto z = at::batch_norm(x, norm.weight, norm.bias, norm.running_mean, norm.running_variance, /*training=*/true,
                                norm.momentum, norm.epsilon, false);
  return at::where(z > 0, z, z * slope);
}

double norm_error(at::ScalarType maps_type, at::ScalarType weight_type) {
  at::manual_seed(11);
  const auto exact = [](const at::Tensor& x) { return x.to(at::kBFloat16).to(at::kDouble); };
  double largest = 0;
  for (const auto& size : norm_cases) {
    const bool has_two_values = size.count * size.height * size.width == 2;
    if (has_two_values && maps_type != at::kDouble) continue;  // the gradients are 0, apart from rounding errors
    for (const double slope : norm_slopes) {
      const auto x = exact(at::randn({size.count, size.channels, size.height, size.width}) * 2 + 3);
      const auto direction = exact(at::randn(x.sizes()));
      const auto norm = make_state(size.channels, weight_type);
      keep_away_from_zero(norm, [&](const BatchNormState& copy) { return norm_reference(x, copy, /*slope=*/1); });
      const auto expected_norm = in_float64(norm);
      const auto expected = norm_derivatives(x, expected_norm, direction, [&](const at::Tensor& input) {
        return norm_reference(input, expected_norm, slope);
      });
      const auto found = norm_derivatives(x.to(maps_type), norm, direction.to(maps_type), [&](const at::Tensor& input) {
        return batch_norm_leaky_relu(input, norm, slope);
      });
      const auto compare = [&](const at::Tensor& value, const at::Tensor& wanted) {
        EXPECT_EQ(value.sizes(), wanted.sizes());
        const auto scale = wanted.abs().max().clamp_min(1e-3);  // with two values per channel, the gradients are 0
        largest = std::max(largest, ((value - wanted).abs().max() / scale).item<double>());
      };
      for (std::size_t i = 0; i < found.size(); ++i) compare(found[i], expected[i]);
      compare(norm.running_mean.to(at::kDouble), expected_norm.running_mean);
      compare(norm.running_variance.to(at::kDouble), expected_norm.running_variance);
    }
  }
  return largest;
}

TEST(BatchNormLeakyRelu, MatchesTheSeparateFunctionsAndTheirFirstAndSecondDerivativesInFloat64) {
  EXPECT_LE(norm_error(at::kDouble, at::kDouble), 1e-11);
}

// The rounding errors of LibTorch's functions are below 1e-6 in these cases. A wrong term in a formula would cause an
// error of at least 1e-3.
TEST(BatchNormLeakyRelu, MatchesTheSeparateFunctionsAndTheirFirstAndSecondDerivativesInFloat32) {
  EXPECT_LE(norm_error(at::kFloat, at::kFloat), 1e-4);
}

// LibTorch computes the second derivatives in bfloat16, which rounds the mean, 1/σ and the result of each operation by
// up to 2^-9 = 0.2 %; the error of the cube of 1/σ is up to 0.6 %. Together, this is 1 to 2 % of the largest value.
// Without the derivatives of the statistics, the error would be about 10 %, because one case has only 30 values per
// channel. The inputs are exact in bfloat16 and the sign before the activation is computed in float32, so rounding
// changes no sign.
TEST(BatchNormLeakyRelu, MatchesTheFirstAndSecondDerivativesOfTheSeparateFunctionsInBfloat16UpToRounding) {
  EXPECT_LE(norm_error(at::kBFloat16, at::kFloat), 0.05);
}

TEST(BatchNormLeakyRelu, MatchesNumericalGradients) {
  at::manual_seed(5);
  const auto norm = make_state(3, at::kDouble);
  const auto x = at::randn({4, 3, 2, 2}, at::kDouble).requires_grad_(true);
  const auto direction = at::randn(x.sizes(), at::kDouble);
  const auto function = [&](const std::vector<at::Tensor>& inputs) {
    return (batch_norm_leaky_relu(inputs[0], {inputs[1], inputs[2], norm.running_mean, norm.running_variance}, 0.2) *
            direction)
        .sum();
  };
  EXPECT_LE(gradient_error(function, {x, norm.weight, norm.bias}), 1e-6);
}

TEST(BatchNormLeakyRelu, StaysPreciseForValuesFarFromZero) {
  at::manual_seed(3);
  const auto x = at::randn({8, 4, 8, 8}) + 1000;
  const auto norm = make_state(4, at::kFloat), expected_norm = in_float64(norm);
  const auto expected = norm_reference(x.to(at::kDouble), expected_norm, 0.2);
  EXPECT_LE((batch_norm_leaky_relu(x, norm, 0.2) - expected).abs().max().item<double>(), 2e-3);
  EXPECT_LE((norm.running_variance - expected_norm.running_variance).abs().max().item<double>(), 1e-6);
}

TEST(BatchNormLeakyRelu, RoundsBfloat16ResultsOnce) {
  at::manual_seed(3);
  const auto x = at::randn({8, 40, 4, 4}).to(at::kBFloat16);
  const auto norm = make_state(40, at::kFloat);
  const auto y = batch_norm_leaky_relu(x, norm, 0.2);
  EXPECT_EQ(y.scalar_type(), at::kBFloat16);
  const auto expected = norm_reference(x.to(at::kDouble), in_float64(norm), 0.2);
  EXPECT_LE(((y - expected).abs() / expected.abs().clamp_min(1e-3)).max().item<double>(), 1.01 / 256);
}

TEST(BatchNormLeakyRelu, MatchesTheGradientsOfTheSeparateFunctionsInBfloat16UpToRounding) {
  at::manual_seed(13);
  const auto x = at::randn({16, 24, 4, 4}).to(at::kBFloat16), direction = at::randn(x.sizes()).to(at::kBFloat16);
  for (const double slope : {0.0, 0.2}) {
    const auto norm = make_state(24, at::kFloat), expected_norm = in_float64(norm);
    const auto input = x.clone().requires_grad_(true), expected_input = x.to(at::kDouble).requires_grad_(true);
    const auto found = torch::autograd::grad({batch_norm_leaky_relu(input, norm, slope)},
                                             {input, norm.weight, norm.bias}, {direction});
    const auto expected =
        torch::autograd::grad({norm_reference(expected_input, expected_norm, slope)},
                              {expected_input, expected_norm.weight, expected_norm.bias}, {direction.to(at::kDouble)});
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_LE(((found[i] - expected[i]).abs().max() / expected[i].abs().max()).item<double>(), i == 0 ? 1e-2 : 1e-4);
    }
  }
}

TEST(BatchNormLeakyRelu, DoesNotDependOnTheNumberOfThreads) {
  const auto x = at::randn({64, 32, 16, 16}).contiguous(at::MemoryFormat::ChannelsLast);
  const int threads = at::get_num_threads();
  const auto gradients = [&](int count) {
    at::set_num_threads(count);
    at::manual_seed(1);
    const auto norm = make_state(32, at::kFloat);
    const auto input = x.clone().requires_grad_(true);
    return torch::autograd::grad({batch_norm_leaky_relu(input, norm, 0.2).square().sum()},
                                 {input, norm.weight, norm.bias});
  };
  const auto one = gradients(1), two = gradients(2);
  at::set_num_threads(threads);
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(at::equal(one[i], two[i]));
}

TEST(BatchNormLeakyRelu, PassesNaNThrough) {
  auto x = at::randn({4, 3, 2, 2});
  x[1][2][0][1] = std::numeric_limits<float>::quiet_NaN();
  const auto y = batch_norm_leaky_relu(x, make_state(3, at::kFloat), 0);
  EXPECT_TRUE(y.select(1, 2).isnan().all().item<bool>());
  EXPECT_FALSE(y.select(1, 0).isnan().any().item<bool>());
}

TEST(BatchNormLeakyRelu, ReturnsNaNForAChannelWithInfinity) {
  auto x = at::randn({4, 3, 2, 2});
  x[1][2][0][1] = std::numeric_limits<float>::infinity();
  const auto norm = make_state(3, at::kFloat);
  EXPECT_TRUE(batch_norm_leaky_relu(x, norm, 0.2).select(1, 2).isnan().any().item<bool>());
  EXPECT_FALSE(std::isfinite(norm.running_variance[2].item<float>()));
}

// With this weight, the output overflows float for normalised values beyond about ±1.7.
TEST(BatchNormLeakyRelu, MapsMinusInfinityToZeroAtSlopeZero) {
  const auto zeros = at::zeros({3}), ones = at::ones({3});
  const BatchNormState norm{at::full({3}, 2e38), zeros, zeros.clone(), ones};
  const auto y = batch_norm_leaky_relu(at::randn({16, 3, 8, 8}), norm, 0);
  EXPECT_TRUE(y.isposinf().any().item<bool>());
  EXPECT_FALSE(y.isnan().any().item<bool>());
  EXPECT_EQ(y.min().item<float>(), 0);
}

TEST(BatchNormLeakyRelu, RejectsInvalidArguments) {
  const auto norm = make_state(3, at::kFloat);
  const auto error = [&](const at::Tensor& maps, double slope = 0.2) {
    return message_of<c10::Error>([&] { batch_norm_leaky_relu(maps, norm, slope); });
  };
  EXPECT_THAT(error(at::randn({1, 3, 1, 1})), HasSubstr("needs more than one value per channel, got [1, 3, 1, 1]"));
  EXPECT_THAT(error(at::randn({2, 4, 1, 1})), HasSubstr("needs 4 values of Float per parameter, got [3] of Float"));
  EXPECT_THAT(error(at::randn({2, 3, 1, 1}).to(at::kHalf)), HasSubstr("bfloat16 on the CPU, got Half"));
  EXPECT_THAT(error(at::randn({2, 3, 1, 1}, at::kDouble)), HasSubstr("needs 3 values of Double per parameter"));
  EXPECT_THAT(error(at::randn({2, 3, 1, 1}), std::numeric_limits<double>::infinity()),
              HasSubstr("needs a finite negative slope, got inf"));
}

// --- SynchronisedBatchNorm

BatchNormActivation make_norm(at::ScalarType type) {
  BatchNormActivation norm(5);
  norm->to(type);
  const at::NoGradGuard no_gradients;
  norm->weight.uniform_(0.5, 2);
  norm->bias.normal_();
  return norm;
}

/// Returns, in float64: the output; its gradients with respect to x, weight and bias; the gradient with respect to x
/// again, computed differentiably; and the gradients of the squared norm of the latter with respect to x and weight.
std::vector<at::Tensor> synchronised_derivatives(const at::Tensor& x, BatchNormActivation& norm,
                                                 const at::Tensor& direction,
                                                 const std::function<at::Tensor(const at::Tensor&)>& function) {
  const auto input = x.detach().clone().requires_grad_(true);
  const auto output = function(input);
  const auto first = torch::autograd::grad({output}, {input, norm->weight, norm->bias}, {direction}, true);
  const auto again = torch::autograd::grad({output}, {input}, {direction}, true, /*create_graph=*/true);
  const auto second = torch::autograd::grad({again[0].to(at::kDouble).square().sum()}, {input, norm->weight});
  std::vector<at::Tensor> all = {output, first[0], first[1], first[2], again[0], second[0], second[1]};
  for (auto& tensor : all) tensor = tensor.detach().to(at::kDouble);
  return all;
}

double synchronised_error(at::ScalarType maps_type, at::ScalarType weight_type) {
  at::manual_seed(11);
  const auto exact = [](const at::Tensor& x) { return x.to(at::kBFloat16); };
  const auto x = exact(at::randn({4, 5, 6, 6}) * 2 + 3).to(maps_type),
             direction = exact(at::randn({4, 5, 6, 6})).to(maps_type);
  auto norm = make_norm(at::kDouble), ours = make_norm(weight_type);
  {
    const at::NoGradGuard no_gradients;
    ours->weight.copy_(exact(norm->weight));
    norm->weight.copy_(ours->weight);
    ours->bias.copy_(exact(norm->bias));
    norm->bias.copy_(ours->bias);
  }
  const auto expected = synchronised_derivatives(x.to(at::kDouble), norm, direction.to(at::kDouble),
                                                 [&](const auto& input) { return norm->forward(input); });
  const auto found = synchronised_derivatives(x, ours, direction, [&](const auto& input) {
    return synchronised_batch_norm(input, ours->state(), equal_ranks(1));
  });
  double largest =
      ((ours->running_var - norm->running_var).abs().max() / norm->running_var.max()).template item<double>();
  for (std::size_t i = 0; i < found.size(); ++i) {
    largest =
        std::max(largest, ((found[i] - expected[i]).abs().max() / expected[i].abs().max()).template item<double>());
  }
  return largest;
}

TEST(SynchronisedBatchNorm, EqualsBatchNormAndItsFirstAndSecondDerivativesOnOneRank) {
  EXPECT_LE(synchronised_error(at::kDouble, at::kDouble), 1e-12);
  EXPECT_LE(synchronised_error(at::kFloat, at::kFloat), 1e-5);
  EXPECT_LE(synchronised_error(at::kBFloat16, at::kFloat), 0.02);
}

TEST(SynchronisedBatchNorm, EqualsBatchNormOverTheImagesOfAllRanks) {
  const auto x = at::randn({3, 5, 4, 4}, at::kDouble) + 1, direction = at::randn({3, 5, 4, 4}, at::kDouble);
  auto norm = make_norm(at::kDouble);
  auto whole_norm = make_norm(at::kDouble);
  whole_norm->weight.set_data(norm->weight.detach().clone());
  whole_norm->bias.set_data(norm->bias.detach().clone());
  const auto input = x.clone().requires_grad_(true), both = at::cat({x, x}).requires_grad_(true);
  const auto output = synchronised_batch_norm(input, norm->state(), equal_ranks(2));
  const auto whole = whole_norm->forward(both);
  EXPECT_TRUE(at::allclose(output, whole.narrow(0, 0, 3), 1e-12, 1e-12));
  EXPECT_TRUE(at::allclose(norm->running_var, whole_norm->running_var, 1e-12, 1e-12));
  const auto found = torch::autograd::grad({output}, {input}, {direction})[0];
  const auto expected = torch::autograd::grad({whole}, {both}, {at::cat({direction, direction})})[0];
  EXPECT_TRUE(at::allclose(found, expected.narrow(0, 0, 3), 1e-10, 1e-12));
}

TEST(SynchronisedBatchNorm, SumsOncePerForwardAndOncePerBackwardPass) {
  int sums = 0;
  auto norm = make_norm(at::kFloat);
  const auto x = at::randn({3, 5, 4, 4}).requires_grad_(true);
  const auto output = synchronised_batch_norm(x, norm->state(), [&](at::Tensor&) { ++sums; });
  EXPECT_EQ(sums, 1);
  output.sum().backward();
  EXPECT_EQ(sums, 2);
}

TEST(SynchronisedBatchNorm, ReturnsTheBiasForOneValuePerChannel) {
  auto norm = make_norm(at::kFloat);
  const auto output = synchronised_batch_norm(at::full({1, 5, 1, 1}, 0.5), norm->state(), equal_ranks(2));
  EXPECT_TRUE(at::allclose(output.flatten(), norm->bias, 1e-3, 1e-3));
}

// --- BatchNormActivation

TEST(BatchNormActivation, AppliesTheActivationInEveryMode) {
  const auto activation = LeakyReLU(LeakyReLUOptions{0.3});
  BatchNormActivation both(5, activation.ptr()), alone(5);
  const auto x = at::randn({4, 5, 6, 6}) + 1;
  for (const bool training : {true, false}) {
    both->train(training);
    alone->train(training);
    EXPECT_TRUE(at::allclose(both->forward(x), at::leaky_relu(alone->forward(x), 0.3), 1e-5, 1e-5));
    EXPECT_TRUE(at::allclose(both->running_var, alone->running_var, 1e-5, 1e-5));
  }
  both->train();
  alone->train();
  both->sum_over_ranks = equal_ranks(2);
  EXPECT_TRUE(at::allclose(both->forward(x), at::leaky_relu(alone->forward(x), 0.3), 1e-4, 1e-5));
  EXPECT_EQ(both->num_batches_tracked.item<std::int64_t>(), 2);
}

TEST(FoldBatchNorm, ReturnsAConvolutionThatAlsoNormalises) {
  auto norm = make_norm(at::kDouble);
  norm->forward(at::randn({4, 5, 6, 6}, at::kDouble));
  norm->eval();
  const auto weight = at::randn({3, 5, 4, 4}, at::kDouble), bias = at::randn({5}, at::kDouble);
  const auto x = at::randn({2, 3, 4, 4}, at::kDouble);
  for (const auto& b : {bias, at::Tensor()}) {
    const auto folded = fold_batch_norm({weight, b}, norm->state());
    const auto expected = norm->forward(at::conv_transpose2d(x, weight, b));
    EXPECT_TRUE(at::allclose(at::conv_transpose2d(x, folded.weight, folded.bias), expected, 1e-12, 1e-12));
  }
}

}  // namespace
}  // namespace slopegan
