#include "layers/batch_norm_leaky_relu.h"

#include <limits>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "layers/leaky_relu.h"
#include "numerical_gradient.h"

namespace slopegan {
namespace {

using ::slopegan::testing::gradient_error;

struct NormCase {
  std::int64_t count, channels, height, width;
};

// Fewer channels than a strip of the loops has, more, and no multiple of it; more rows than a block.
const std::vector<NormCase> norm_cases = {{4, 5, 6, 6}, {3, 64, 4, 4}, {2, 100, 3, 5}, {64, 32, 16, 16}, {2, 1, 1, 1}};
constexpr double norm_slopes[] = {0, 0.01, 0.2, 1, 1.5, -0.3};

BatchNormState make_state(std::int64_t channels, at::ScalarType type) {
  const auto options = at::TensorOptions(type);
  return {(at::rand({channels}, options) + 0.5).requires_grad_(true),
          at::randn({channels}, options).requires_grad_(true), at::zeros({channels}, options),
          at::ones({channels}, options)};
}

BatchNormState in_float64(const BatchNormState& state) {
  const auto copy = [](const at::Tensor& x) { return x.detach().to(at::kDouble, false, /*copy=*/true); };
  return {copy(state.weight).requires_grad_(true), copy(state.bias).requires_grad_(true), copy(state.running_mean),
          copy(state.running_variance)};
}

at::Tensor norm_reference(const at::Tensor& x, const BatchNormState& norm, double slope) {
  const auto z = at::batch_norm(x, norm.weight, norm.bias, norm.running_mean, norm.running_variance, /*training=*/true,
                                norm.momentum, norm.epsilon, false);
  return at::where(z > 0, z, z * slope);
}

using NormFunction = std::function<at::Tensor(const at::Tensor&)>;

/// Output, gradients of x, weight, bias, and the gradients of x, weight and direction of the squared gradient of x.
std::vector<at::Tensor> norm_derivatives(const at::Tensor& x, const BatchNormState& norm, const at::Tensor& direction,
                                         const NormFunction& function) {
  const auto input = x.detach().clone().requires_grad_(true);
  const auto given = direction.detach().clone().requires_grad_(true);
  const auto output = function(input);
  const auto first = torch::autograd::grad({output}, {input, norm.weight, norm.bias}, {given}, true);
  const auto again = torch::autograd::grad({output}, {input}, {given}, true, /*create_graph=*/true);
  const auto second =
      torch::autograd::grad({again[0].to(at::kDouble).square().sum()}, {input, norm.weight, given}, {}, false, false,
                            /*allow_unused=*/true);
  std::vector<at::Tensor> all = {output, first[0], first[1], first[2], again[0], second[0], second[1], second[2]};
  for (auto& tensor : all) tensor = tensor.detach().to(at::kDouble);
  return all;
}

double norm_error(at::ScalarType maps_type, at::ScalarType weight_type) {
  at::manual_seed(11);
  const auto exact = [](const at::Tensor& x) { return x.to(at::kBFloat16).to(at::kDouble); };
  double largest = 0;
  for (const auto& size : norm_cases) {
    for (const double slope : norm_slopes) {
      const auto x = exact(at::randn({size.count, size.channels, size.height, size.width}) * 2 + 3);
      const auto direction = exact(at::randn(x.sizes()));
      const auto norm = make_state(size.channels, weight_type), expected_norm = in_float64(norm);
      const auto expected = norm_derivatives(x, expected_norm, direction, [&](const at::Tensor& input) {
        return norm_reference(input, expected_norm, slope);
      });
      const auto found = norm_derivatives(x.to(maps_type), norm, direction.to(maps_type), [&](const at::Tensor& input) {
        return batch_norm_leaky_relu(input, norm, slope);
      });
      const auto compare = [&](const at::Tensor& value, const at::Tensor& wanted) {
        EXPECT_EQ(value.sizes(), wanted.sizes());
        const auto scale = wanted.abs().max().clamp_min(1e-3);  // two values a channel: gradients of 0
        largest = std::max(largest, ((value - wanted).abs().max() / scale).item<double>());
      };
      for (std::size_t i = 0; i < found.size(); ++i) compare(found[i], expected[i]);
      compare(norm.running_mean.to(at::kDouble), expected_norm.running_mean);
      compare(norm.running_variance.to(at::kDouble), expected_norm.running_variance);
    }
  }
  return largest;
}

TEST(BatchNormLeakyRelu, IsBothWithTheirFirstAndSecondDerivativesInFloat64) {
  EXPECT_LE(norm_error(at::kDouble, at::kDouble), 1e-11);
}

TEST(BatchNormLeakyRelu, HasTheGradientsOfItsDifferences) {
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

TEST(BatchNormLeakyRelu, IsFarMoreAccurateThanItsValuesFarFromZeroAre) {
  at::manual_seed(3);
  const auto x = at::randn({8, 4, 8, 8}) + 1000;
  const auto norm = make_state(4, at::kFloat), expected_norm = in_float64(norm);
  const auto expected = norm_reference(x.to(at::kDouble), expected_norm, 0.2);
  EXPECT_LE((batch_norm_leaky_relu(x, norm, 0.2) - expected).abs().max().item<double>(), 2e-3);
  EXPECT_LE((norm.running_variance - expected_norm.running_variance).abs().max().item<double>(), 1e-6);
}

TEST(BatchNormLeakyRelu, RoundsABfloat16ResultOnce) {
  at::manual_seed(3);
  const auto x = at::randn({8, 40, 4, 4}).to(at::kBFloat16);
  const auto norm = make_state(40, at::kFloat);
  const auto y = batch_norm_leaky_relu(x, norm, 0.2);
  EXPECT_EQ(y.scalar_type(), at::kBFloat16);
  const auto expected = norm_reference(x.to(at::kDouble), in_float64(norm), 0.2);
  EXPECT_LE(((y - expected).abs() / expected.abs().clamp_min(1e-3)).max().item<double>(), 1.01 / 256);
}

TEST(BatchNormLeakyRelu, HasTheGradientsOfBothInBfloat16WithinItsRounding) {
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

TEST(BatchNormLeakyRelu, GivesTheSameBitsOnAnyNumberOfThreads) {
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

TEST(BatchNormLeakyRelu, PassesNotANumberOn) {
  auto x = at::randn({4, 3, 2, 2});
  x[1][2][0][1] = std::numeric_limits<float>::quiet_NaN();
  const auto y = batch_norm_leaky_relu(x, make_state(3, at::kFloat), 0);
  EXPECT_TRUE(y.select(1, 2).isnan().all().item<bool>());
  EXPECT_FALSE(y.select(1, 0).isnan().any().item<bool>());
}

TEST(BatchNormLeakyRelu, MakesNotANumberOfAChannelWithInfinity) {
  auto x = at::randn({4, 3, 2, 2});
  x[1][2][0][1] = std::numeric_limits<float>::infinity();
  const auto norm = make_state(3, at::kFloat);
  EXPECT_TRUE(batch_norm_leaky_relu(x, norm, 0.2).select(1, 2).isnan().any().item<bool>());
  EXPECT_FALSE(std::isfinite(norm.running_variance[2].item<float>()));
}

TEST(BatchNormLeakyRelu, RefusesWhatItCannotNormalise) {
  const auto norm = make_state(3, at::kFloat);
  EXPECT_THROW(batch_norm_leaky_relu(at::randn({1, 3, 1, 1}), norm, 0.2), c10::Error);
  EXPECT_THROW(batch_norm_leaky_relu(at::randn({2, 4, 1, 1}), norm, 0.2), c10::Error);
  EXPECT_THROW(batch_norm_leaky_relu(at::randn({2, 3, 1, 1}).to(at::kHalf), norm, 0.2), c10::Error);
  EXPECT_THROW(batch_norm_leaky_relu(at::randn({2, 3, 1, 1}, at::kDouble), norm, 0.2), c10::Error);
  EXPECT_THROW(batch_norm_leaky_relu(at::randn({2, 3, 1, 1}), norm, std::numeric_limits<double>::infinity()),
               c10::Error);
}

}  // namespace
}  // namespace slopegan
