#include <limits>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "expect_error.h"
#include "layers/batch_norm.h"
#include "layers/batch_norm_derivatives.h"
#include "numerical_gradient.h"

/// Tests of batch norm with a scale and shift per image.
namespace slopegan {
namespace {

using ::slopegan::testing::equal_ranks;
using ::slopegan::testing::gradient_error;
using ::slopegan::testing::in_float64;
using ::slopegan::testing::keep_away_from_zero;
using ::slopegan::testing::norm_derivatives;
using ::slopegan::testing::scalar_of_gradients;
using ::testing::HasSubstr;

struct ModulatedCase {
  std::int64_t count, channels, height, width;
};

// In one case, an image has more pixels than the kernels sum at once (rows_at_once).
const std::vector<ModulatedCase> modulated_cases = {{4, 5, 6, 6},     {3, 64, 4, 4}, {2, 100, 3, 5},
                                                    {32, 32, 16, 16}, {1, 7, 4, 4},  {2, 1, 1, 1}};

BatchNormState modulated_state(std::int64_t count, std::int64_t channels, at::ScalarType type) {
  const auto options = at::TensorOptions(type);
  return {at::randn({count, channels}, options).requires_grad_(true),
          at::randn({count, channels}, options).requires_grad_(true), at::zeros({channels}, options),
          at::ones({channels}, options)};
}

at::Tensor modulated_reference(const at::Tensor& x, const BatchNormState& norm, double slope) {
  const auto normalised = at::batch_norm(x, {}, {}, norm.running_mean, norm.running_variance, /*training=*/true,
                                         norm.momentum, norm.epsilon, false);
  const auto z = normalised * norm.weight.unsqueeze(-1).unsqueeze(-1) + norm.bias.unsqueeze(-1).unsqueeze(-1);
  return at::where(z > 0, z, z * slope);
}

void expect_modulated_derivatives(at::ScalarType type, double tolerance) {
  at::manual_seed(11);
  const auto exact = [](const at::Tensor& x) { return x.to(at::kBFloat16).to(at::kDouble); };
  for (const auto& size : modulated_cases) {
    const bool has_two_values = size.count * size.height * size.width == 2;
    if (has_two_values && type != at::kDouble) continue;  // dx is 0, apart from rounding errors
    for (const double slope : {0.0, 0.2, 1.0, -0.3}) {
      const auto x = exact(at::randn({size.count, size.channels, size.height, size.width}) * 2 + 3);
      const auto direction = exact(at::randn(x.sizes()));
      const auto norm = modulated_state(size.count, size.channels, type);
      keep_away_from_zero(norm, [&](const BatchNormState& copy) { return modulated_reference(x, copy, /*slope=*/1); });
      const auto expected_norm = in_float64(norm);
      const auto found = norm_derivatives(x.to(type), norm, direction.to(type), [&](const at::Tensor& input) {
        return batch_norm_leaky_relu(input, norm, slope);
      });
      const auto expected = norm_derivatives(x, expected_norm, direction, [&](const at::Tensor& input) {
        return modulated_reference(input, expected_norm, slope);
      });
      for (std::size_t i = 0; i < found.size(); ++i) {
        ASSERT_EQ(found[i].sizes(), expected[i].sizes());
        const auto scale = expected[i].abs().max().clamp_min(1e-3);  // with two values per channel, dx is 0
        EXPECT_LE(((found[i] - expected[i]).abs().max() / scale).item<double>(), tolerance) << i << ' ' << x.sizes();
      }
      const double near = tolerance / 10;
      EXPECT_TRUE(at::allclose(norm.running_mean.to(at::kDouble), expected_norm.running_mean, near, near));
      EXPECT_TRUE(at::allclose(norm.running_variance.to(at::kDouble), expected_norm.running_variance, near, near));
    }
  }
}

TEST(ModulatedBatchNorm, MatchesTheSeparateFunctionsAndTheirFirstAndSecondDerivativesInFloat64) {
  expect_modulated_derivatives(at::kDouble, 1e-10);
}

// The rounding errors of LibTorch's functions are below 1e-6 in these cases. A wrong term in a formula would cause an
// error of at least 1e-3.
TEST(ModulatedBatchNorm, MatchesTheSeparateFunctionsAndTheirFirstAndSecondDerivativesInFloat32) {
  expect_modulated_derivatives(at::kFloat, 1e-4);
}

TEST(ModulatedBatchNorm, MatchesItsNumericalFirstAndSecondDerivatives) {
  at::manual_seed(5);
  const auto norm = modulated_state(4, 3, at::kDouble);
  const auto x = at::randn({4, 3, 2, 2}, at::kDouble).requires_grad_(true);
  const auto direction = at::randn(x.sizes(), at::kDouble);
  const auto function = [&](const std::vector<at::Tensor>& inputs) {
    return (batch_norm_leaky_relu(inputs[0], {inputs[1], inputs[2], norm.running_mean, norm.running_variance}, 0.2) *
            direction)
        .sum();
  };
  EXPECT_LE(gradient_error(function, {x, norm.weight, norm.bias}), 1e-6);
  EXPECT_LE(gradient_error(scalar_of_gradients(function), {x, norm.weight, norm.bias}), 1e-5);
}

TEST(ModulatedBatchNorm, EqualsBatchNormIfAllImagesHaveTheSameScaleAndShift) {
  at::manual_seed(7);
  const auto x = at::randn({8, 24, 8, 8});
  const auto norm = modulated_state(1, 24, at::kFloat);
  const auto leaf = [](const at::Tensor& values) { return values.detach().clone().requires_grad_(true); };
  const BatchNormState per_channel{leaf(norm.weight[0]), leaf(norm.bias[0]), at::zeros({24}), at::ones({24})};
  const BatchNormState per_image{norm.weight.expand({8, 24}), norm.bias.expand({8, 24}), at::zeros({24}),
                                 at::ones({24})};
  const auto a = x.clone().requires_grad_(true), b = x.clone().requires_grad_(true);
  const auto plain = batch_norm_leaky_relu(a, per_channel, 0.2), modulated = batch_norm_leaky_relu(b, per_image, 0.2);
  EXPECT_TRUE(plain.equal(modulated));
  EXPECT_TRUE(per_channel.running_variance.equal(per_image.running_variance));
  const auto direction = at::randn(x.sizes());
  const auto expected = torch::autograd::grad({plain}, {a, per_channel.weight, per_channel.bias}, {direction});
  const auto found = torch::autograd::grad({modulated}, {b, norm.weight, norm.bias}, {direction});
  EXPECT_TRUE(at::allclose(found[0], expected[0], 1e-4, 1e-5));
  EXPECT_TRUE(at::allclose(found[1][0], expected[1], 1e-4, 1e-4));
  EXPECT_TRUE(at::allclose(found[2][0], expected[2], 1e-4, 1e-4));
}

TEST(ModulatedBatchNorm, RoundsBfloat16ResultsOnce) {
  at::manual_seed(3);
  const auto x = at::randn({8, 40, 4, 4}).to(at::kBFloat16), direction = at::randn(x.sizes()).to(at::kBFloat16);
  const auto norm = modulated_state(8, 40, at::kFloat), expected_norm = in_float64(norm);
  const auto input = x.clone().requires_grad_(true), expected_input = x.to(at::kDouble).requires_grad_(true);
  const auto y = batch_norm_leaky_relu(input, norm, 0.2);
  EXPECT_EQ(y.scalar_type(), at::kBFloat16);
  const auto expected = modulated_reference(expected_input, expected_norm, 0.2);
  EXPECT_LE(((y - expected).abs() / expected.abs().clamp_min(1e-3)).max().item<double>(), 1.01 / 256);
  const auto found = torch::autograd::grad({y}, {input, norm.weight, norm.bias}, {direction});
  const auto wanted = torch::autograd::grad({expected}, {expected_input, expected_norm.weight, expected_norm.bias},
                                            {direction.to(at::kDouble)});
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_LE(((found[i] - wanted[i]).abs().max() / wanted[i].abs().max()).item<double>(), i == 0 ? 1e-2 : 1e-4);
  }
}

TEST(ModulatedBatchNorm, DoesNotDependOnTheNumberOfThreads) {
  at::manual_seed(1);
  const auto x = at::randn({31, 32, 16, 16}).contiguous(at::MemoryFormat::ChannelsLast);
  const auto norm = modulated_state(31, 32, at::kFloat);
  const int threads = at::get_num_threads();
  const auto gradients = [&](int count) {
    at::set_num_threads(count);
    const auto input = x.clone().requires_grad_(true);
    return torch::autograd::grad({batch_norm_leaky_relu(input, norm, 0.2).square().sum()},
                                 {input, norm.weight, norm.bias});
  };
  const auto one = gradients(1), two = gradients(2);
  at::set_num_threads(threads);
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(at::equal(one[i], two[i]));
}

TEST(ModulatedBatchNorm, RejectsInvalidArguments) {
  const auto norm = modulated_state(2, 3, at::kFloat);
  EXPECT_NO_THROW(batch_norm_leaky_relu(at::randn({2, 3, 2, 2}), norm, 0.2));
  const auto error = [](const at::Tensor& maps, const BatchNormState& state) {
    return message_of<c10::Error>([&] { batch_norm_leaky_relu(maps, state, 0.2); });
  };
  EXPECT_THAT(error(at::randn({4, 3, 2, 2}), norm), HasSubstr("or per image and channel, got [2, 3] and [2, 3]"));
  EXPECT_THAT(error(at::randn({2, 4, 2, 2}), norm), HasSubstr("needs 4 values of Float per parameter, got [2, 3]"));
  EXPECT_THAT(error(at::randn({2, 3, 2, 2}, at::kDouble), norm), HasSubstr("needs 3 values of Double per parameter"));
  auto mixed = norm;
  mixed.bias = at::zeros({3});
  EXPECT_THAT(error(at::randn({2, 3, 2, 2}), mixed), HasSubstr("or per image and channel, got [2, 3] and [3]"));
}

// --- BatchNormActivation without a weight and bias

Modulation some_modulation(std::int64_t count, at::ScalarType type) {
  return {at::randn({count, 5}, type).requires_grad_(true), at::randn({count, 5}, type).requires_grad_(true)};
}

TEST(BatchNormActivationWithoutWeight, HasOnlyBuffersAndNeedsAModulation) {
  BatchNormActivation norm(5, LeakyReLU(LeakyReLUOptions{0.3}).ptr(), /*affine=*/false), affine(5);
  EXPECT_TRUE(norm->parameters().empty());
  EXPECT_EQ(norm->buffers().size(), 3u);
  EXPECT_TRUE(norm->state().weight.equal(at::ones({5})));
  EXPECT_TRUE(norm->state().bias.equal(at::zeros({5})));
  const auto x = at::randn({4, 5, 6, 6});
  for (const bool training : {true, false}) {
    norm->train(training);
    const auto needs_one = HasSubstr("needs either its own weight and bias or a scale and shift per image");
    EXPECT_THAT(message_of<c10::Error>([&] { norm->forward(x); }), needs_one);
    EXPECT_THAT(message_of<c10::Error>([&] { norm->normalise(x); }), needs_one);
    EXPECT_THAT(message_of<c10::Error>([&] { affine->forward(x, some_modulation(4, at::kFloat)); }), needs_one);
  }
}

TEST(BatchNormActivationWithoutWeight, ReturnsTheSameResultsWithAndWithoutFusion) {
  at::manual_seed(2);
  for (const auto type : {at::kDouble, at::kFloat, at::kBFloat16}) {
    const double tolerance = type == at::kDouble ? 1e-11 : type == at::kFloat ? 1e-5 : 0.03;
    const auto norm_type = type == at::kDouble ? at::kDouble : at::kFloat;
    const auto activation = LeakyReLU(LeakyReLUOptions{0.3, /*inplace=*/true});
    BatchNormActivation fused(5, activation.ptr(), false), separate(5, activation.ptr(), false);
    for (auto* norm : {&fused, &separate}) {
      for (auto& buffer : (*norm)->buffers()) {
        if (buffer.is_floating_point()) buffer.set_data(buffer.to(norm_type));
      }
    }
    separate->sum_over_ranks = equal_ranks(1);
    const auto x = (at::randn({4, 5, 6, 6}) + 1).to(type).contiguous(at::MemoryFormat::ChannelsLast);
    const auto modulation = some_modulation(4, norm_type);
    const auto direction = at::randn(x.sizes()).to(type);
    const auto results = [&](BatchNormActivation& norm) {
      const auto input = x.clone().requires_grad_(true);
      const auto output = norm->forward(input, modulation);
      EXPECT_EQ(output.scalar_type(), type);
      EXPECT_TRUE(output.is_contiguous(at::MemoryFormat::ChannelsLast));
      auto all = torch::autograd::grad({output}, {input, modulation.scale, modulation.shift}, {direction});
      all.insert(all.end(), {output, norm->running_mean, norm->running_var});
      return all;
    };
    for (const bool training : {true, false}) {
      fused->train(training);
      separate->train(training);
      const auto a = results(fused), b = results(separate);
      for (std::size_t i = 0; i < a.size(); ++i) {
        const auto error = (a[i] - b[i]).abs().max() / b[i].abs().max();
        EXPECT_LE(error.item<double>(), tolerance) << type << ' ' << training << ' ' << i;
      }
    }
    EXPECT_EQ(fused->num_batches_tracked.item<std::int64_t>(), 1);
    EXPECT_EQ(separate->num_batches_tracked.item<std::int64_t>(), 1);
  }
}

TEST(BatchNormActivationWithoutWeight, UsesTheStatisticsOfAllRanks) {
  const auto x = at::randn({3, 5, 4, 4}, at::kDouble) + 1, direction = at::randn({3, 5, 4, 4}, at::kDouble);
  const auto activation = LeakyReLU(LeakyReLUOptions{0.3});
  BatchNormActivation part(5, activation.ptr(), false), whole(5, activation.ptr(), false);
  part->to(at::kDouble);
  whole->to(at::kDouble);
  part->sum_over_ranks = equal_ranks(2);
  const auto modulation = some_modulation(3, at::kDouble);
  const auto input = x.clone().requires_grad_(true), both = at::cat({x, x}).requires_grad_(true);
  const auto y = part->forward(input, modulation);
  const auto expected = whole->forward(
      both, {at::cat({modulation.scale, modulation.scale}), at::cat({modulation.shift, modulation.shift})});
  EXPECT_TRUE(at::allclose(y, expected.narrow(0, 0, 3), 1e-10, 1e-12));
  EXPECT_TRUE(at::allclose(part->running_var, whole->running_var, 1e-12, 1e-12));
  const auto found = torch::autograd::grad({y}, {input, modulation.scale}, {direction}, true);
  const auto wanted = torch::autograd::grad({expected}, {both, modulation.scale}, {at::cat({direction, direction})});
  EXPECT_TRUE(at::allclose(found[0], wanted[0].narrow(0, 0, 3), 1e-9, 1e-11));
  EXPECT_TRUE(at::allclose(2 * found[1], wanted[1], 1e-9, 1e-11));
}

}  // namespace
}  // namespace slopegan
