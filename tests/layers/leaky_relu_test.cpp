#include "layers/leaky_relu.h"

#include <cmath>
#include <limits>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "numerical_gradient.h"

namespace slopegan {
namespace {

using ::slopegan::testing::gradient_error;
using ::slopegan::testing::scalar_of_gradients;

constexpr double slopes[] = {0, 0.01, 0.2, 0.37, 1};

// Values on both sides of the kink, all farther from it than the step of the numerical gradient.
at::Tensor values(at::IntArrayRef shape, at::ScalarType type = at::kDouble) {
  at::manual_seed(7);
  const auto x = at::randn(shape, at::kDouble);
  return at::where(x.abs() < 0.05, x + 0.2, x).to(type);
}

void expect_equal(const at::Tensor& a, const at::Tensor& b) {
  EXPECT_EQ(a.scalar_type(), b.scalar_type());
  EXPECT_TRUE(at::equal(a, b)) << "largest difference " << (a - b).abs().max().item<double>();
}

TEST(LeakyRelu, IsXAboveZeroAndSlopeTimesXElsewhere) {
  const auto x = at::tensor({-2.0, -0.0, 0.0, 3.0});
  expect_equal(slopegan::leaky_relu(x, 0.25), at::tensor({-0.5, -0.0, 0.0, 3.0}));
}

TEST(LeakyRelu, EqualsPyTorchInEveryDtypeAndMemoryFormat) {
  for (const auto type : {at::kFloat, at::kDouble, at::kBFloat16, at::kHalf}) {
    for (const double slope : slopes) {
      const auto plain = values({3, 5, 4, 7}, type);
      const auto wide = values({3, 10, 4, 7}, type);
      for (const auto& x : {plain, plain.contiguous(at::MemoryFormat::ChannelsLast), plain.transpose(0, 3),
                            wide.slice(1, 0, 10, 2), plain.slice(0, 0, 1).expand({3, 5, 4, 7}), plain.slice(0, 0, 0)}) {
        const auto y = slopegan::leaky_relu(x, slope);
        if (slope > 0) expect_equal(y, at::leaky_relu(x, slope));
        if (slope == 0) expect_equal(y, at::relu(x));
        EXPECT_EQ(y.sizes(), x.sizes());
      }
    }
  }
}

TEST(LeakyRelu, KeepsTheMemoryFormat) {
  const auto x = values({2, 3, 4, 5}, at::kFloat).contiguous(at::MemoryFormat::ChannelsLast);
  EXPECT_EQ(slopegan::leaky_relu(x, 0.2).strides(), x.strides());
}

TEST(LeakyRelu, EqualsPyTorchIfTheWorkIsSplitAcrossThreads) {
  const auto x = values({300, 1000}, at::kFloat);
  expect_equal(slopegan::leaky_relu(x, 0.2), at::leaky_relu(x, 0.2));
}

TEST(LeakyRelu, BackwardMatchesPyTorchForInputsInAnyMemoryFormat) {
  for (const auto type : {at::kFloat, at::kDouble, at::kBFloat16}) {
    for (const double slope : slopes) {
      for (const bool channels_last : {false, true}) {
        const auto format = channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
        const auto ours = values({2, 3, 4, 5}, type).contiguous(format).requires_grad_();
        const auto theirs = values({2, 3, 4, 5}, type).requires_grad_();
        const auto gradient = (values({2, 3, 4, 5}) * 3 + 1).to(type);
        const auto ours_output = slopegan::leaky_relu(ours, slope), theirs_output = at::leaky_relu(theirs, slope);
        expect_equal(ours_output.detach(), slopegan::leaky_relu(ours.detach(), slope));
        ours_output.backward(gradient);
        theirs_output.backward(gradient);
        expect_equal(ours.grad(), theirs.grad());
      }
    }
  }
}

TEST(LeakyRelu, GradientAtZeroIsTheSlope) {
  const auto x = at::zeros({3}, at::kDouble).requires_grad_();
  slopegan::leaky_relu(x, 0.2).sum().backward();
  expect_equal(x.grad(), at::full({3}, 0.2, at::kDouble));
}

TEST(LeakyRelu, FirstAndSecondDerivativesMatchNumericalOnes) {
  for (const double slope : {-0.3, 0.0, 0.2, 1.0}) {
    const auto f = [slope](const std::vector<at::Tensor>& in) {
      // The cube makes the second derivative non-zero.
      return (slopegan::leaky_relu(in[0] * in[1], slope).pow(3) * in[1].sin()).sum();
    };
    const std::vector<at::Tensor> inputs = {values({4, 3}), values({4, 3}).flip(0)};
    EXPECT_LT(gradient_error(f, inputs), 1e-7) << slope;
    EXPECT_LT(gradient_error(scalar_of_gradients(f), inputs), 1e-5) << slope;
  }
}

TEST(LeakyRelu, GradientOfAPenaltyThroughTwoLayersMatchesTheNumericalOne) {
  const auto weight = values({3, 3});
  const auto f = [](const std::vector<at::Tensor>& in) {
    const auto x = in[0].requires_grad() ? in[0] : in[0].clone().requires_grad_();
    const auto hidden = slopegan::leaky_relu(at::mm(x, in[1]), 0.2);
    const auto logits = slopegan::leaky_relu(at::mm(hidden, in[1]), 0.1).sum();
    return torch::autograd::grad({logits}, {x}, {}, true, true)[0].pow(2).sum();
  };
  EXPECT_LT(gradient_error(f, {values({4, 3}), weight}), 1e-6);
}

TEST(LeakyReluInPlace, OverwritesTheInputAndHasPyTorchsGradients) {
  for (const auto type : {at::kFloat, at::kDouble, at::kBFloat16}) {
    for (const double slope : slopes) {
      const auto leaf = values({2, 3, 4, 5}, type).requires_grad_();
      auto x = leaf * 1.5;
      const auto expected = at::leaky_relu(x.detach(), slope);
      const void* memory = x.data_ptr();
      auto& y = slopegan::leaky_relu_(x, slope);
      EXPECT_EQ(y.data_ptr(), memory);
      EXPECT_EQ(&y, &x);
      if (slope > 0) expect_equal(y.detach(), expected);
      y.sum().backward();

      const auto reference = values({2, 3, 4, 5}, type).requires_grad_();
      at::leaky_relu(reference * 1.5, slope).sum().backward();
      expect_equal(leaf.grad(), reference.grad());
    }
  }
}

TEST(LeakyReluInPlace, AcceptsAViewThatIsNotDense) {
  auto base = values({4, 6}, at::kFloat);
  const auto original = base.clone();
  auto view = base.slice(1, 0, 6, 2);
  slopegan::leaky_relu_(view, 0.5);
  expect_equal(base.slice(1, 0, 6, 2), at::leaky_relu(original.slice(1, 0, 6, 2), 0.5));
  expect_equal(base.slice(1, 1, 6, 2), original.slice(1, 1, 6, 2));
}

TEST(LeakyReluInPlace, RejectsSlopesBelowZeroAndLeavesThatRequireGradients) {
  auto x = values({3});
  EXPECT_THROW(slopegan::leaky_relu_(x, -0.1), c10::ValueError);
  auto leaf = values({3}).requires_grad_();
  EXPECT_THROW(slopegan::leaky_relu_(leaf, 0.1), c10::Error);
}

TEST(LeakyRelu, NaNPassesThroughAndSlopeZeroMapsMinusInfinityToZero) {
  const double inf = std::numeric_limits<double>::infinity();
  for (const auto type : {at::kFloat, at::kDouble, at::kBFloat16, at::kHalf}) {
    // Enough values for the vectorised loop and its remainder.
    const auto x = at::tensor({std::nan(""), inf, -inf, 1.0}).repeat({33}).to(type);
    for (const double slope : slopes) {
      const auto y = slopegan::leaky_relu(x, slope).to(at::kDouble).view({33, 4});
      EXPECT_TRUE(y.select(1, 0).isnan().all().item<bool>());
      EXPECT_TRUE((y.select(1, 1) == inf).all().item<bool>());
      EXPECT_TRUE((y.select(1, 2) == (slope == 0 ? 0 : -inf)).all().item<bool>());
      EXPECT_TRUE((y.select(1, 3) == 1).all().item<bool>());
    }
  }
}

TEST(LeakyRelu, RejectsIntegersAndSlopesThatAreNotFinite) {
  EXPECT_THROW(slopegan::leaky_relu(at::ones({2}, at::kLong), 0.1), c10::ValueError);
  EXPECT_THROW(slopegan::leaky_relu(at::ones({2}), std::nan("")), c10::ValueError);
  EXPECT_THROW(slopegan::leaky_relu(at::ones({2}), INFINITY), c10::ValueError);
}

TEST(LeakyRelu, RequiresGradientsIfItsInputDoesAndAGraphIsRecorded) {
  const auto input = values({4}), leaf = values({4}).requires_grad_();
  EXPECT_FALSE(slopegan::leaky_relu(input, 0.2).requires_grad());
  EXPECT_TRUE(slopegan::leaky_relu(leaf, 0.2).requires_grad());
  EXPECT_TRUE(slopegan::leaky_relu_gradient(leaf, input, 0.2).requires_grad());
  const at::NoGradGuard no_gradients;
  const auto output = slopegan::leaky_relu(leaf, 0.2), gradient = slopegan::leaky_relu_gradient(leaf, input, 0.2);
  EXPECT_FALSE(output.requires_grad());
  EXPECT_FALSE(gradient.requires_grad());
  expect_equal(output, at::leaky_relu(input, 0.2));
  expect_equal(gradient, at::leaky_relu_backward(leaf, input, 0.2, /*self_is_result=*/false));
}

TEST(Prelu, MatchesPyTorchInTheForwardAndBackwardPasses) {
  for (const std::int64_t count : {1, 3}) {
    const auto x = values({2, 3, 4, 5}).requires_grad_(), x_reference = values({2, 3, 4, 5}).requires_grad_();
    const auto a = at::linspace(0.1, 0.4, count, at::kDouble).requires_grad_();
    const auto a_reference = a.detach().clone().requires_grad_();
    const auto gradient = values({2, 3, 4, 5}).flip(1);
    const auto y = slopegan::prelu(x, a), y_reference = at::prelu(x_reference, a_reference);
    expect_equal(y.detach(), y_reference.detach());
    y.backward(gradient);
    y_reference.backward(gradient);
    expect_equal(x.grad(), x_reference.grad());
    EXPECT_TRUE(at::allclose(a.grad(), a_reference.grad(), 1e-12, 1e-12));
  }
}

TEST(Prelu, FirstAndSecondDerivativesInBothArgumentsMatchNumericalOnes) {
  for (const std::int64_t count : {1, 3}) {
    const auto f = [](const std::vector<at::Tensor>& in) { return slopegan::prelu(in[0], in[1]).pow(3).sum(); };
    const std::vector<at::Tensor> inputs = {values({2, 3, 2}), at::linspace(0.1, 0.4, count, at::kDouble)};
    EXPECT_LT(gradient_error(f, inputs), 1e-7);
    EXPECT_LT(gradient_error(scalar_of_gradients(f), inputs), 1e-5);
  }
}

TEST(Prelu, GradientOfTheSlopeIsAccumulatedInTheDtypeOfTheSlope) {
  // The gradient is the sum of 4096 terms of −1/256. In bfloat16, the sum would stop growing long before −16.
  const auto x = at::full({4096, 1}, -1.0 / 256).to(at::kBFloat16);
  const auto a = at::full({1}, 0.25).requires_grad_();
  slopegan::prelu(x, a).sum().backward();
  EXPECT_EQ(a.grad().scalar_type(), at::kFloat);
  EXPECT_EQ(a.grad().item<float>(), -16.0f);
}

TEST(Prelu, AcceptsOnlyASharedSlopeOrOnePerChannel) {
  EXPECT_THROW(slopegan::prelu(values({2, 3, 4}), at::ones({2})), c10::ValueError);
  EXPECT_THROW(slopegan::prelu(values({3}), at::ones({3})), c10::ValueError);
}

}  // namespace
}  // namespace slopegan
