#include "models/synchronised_batch_norm.h"

#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

namespace slopegan {
namespace {

/// As if `ranks` processes had the same images: every sum is that many times one process's.
SumOverRanks equal_ranks(double ranks) {
  return [ranks](at::Tensor& tensor) { tensor.mul_(ranks); };
}

torch::nn::BatchNorm2d make_norm(at::ScalarType type) {
  torch::nn::BatchNorm2d norm(5);
  norm->to(type);
  const at::NoGradGuard no_gradients;
  norm->weight.uniform_(0.5, 2);
  norm->bias.normal_();
  return norm;
}

/// Output, gradients of x, weight, bias, and the gradients of x and weight of the squared gradient of x; in float64.
std::vector<at::Tensor> derivatives(const at::Tensor& x, torch::nn::BatchNorm2d& norm, const at::Tensor& direction,
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
  const auto expected = derivatives(x.to(at::kDouble), norm, direction.to(at::kDouble),
                                    [&](const auto& input) { return norm->forward(input); });
  const auto found = derivatives(
      x, ours, direction, [&](const auto& input) { return synchronised_batch_norm(input, *ours, equal_ranks(1)); });
  double largest =
      ((ours->running_var - norm->running_var).abs().max() / norm->running_var.max()).template item<double>();
  for (std::size_t i = 0; i < found.size(); ++i) {
    largest =
        std::max(largest, ((found[i] - expected[i]).abs().max() / expected[i].abs().max()).template item<double>());
  }
  return largest;
}

TEST(SynchronisedBatchNorm, OfOneProcessIsBatchNormWithItsFirstAndSecondDerivatives) {
  EXPECT_LE(synchronised_error(at::kDouble, at::kDouble), 1e-12);
  EXPECT_LE(synchronised_error(at::kFloat, at::kFloat), 1e-5);
  EXPECT_LE(synchronised_error(at::kBFloat16, at::kFloat), 0.02);
}

TEST(SynchronisedBatchNorm, OfEqualProcessesIsBatchNormOfTheirImagesTogether) {
  const auto x = at::randn({3, 5, 4, 4}, at::kDouble) + 1, direction = at::randn({3, 5, 4, 4}, at::kDouble);
  auto norm = make_norm(at::kDouble);
  auto whole_norm = make_norm(at::kDouble);
  whole_norm->weight.set_data(norm->weight.detach().clone());
  whole_norm->bias.set_data(norm->bias.detach().clone());
  const auto input = x.clone().requires_grad_(true), both = at::cat({x, x}).requires_grad_(true);
  const auto output = synchronised_batch_norm(input, *norm, equal_ranks(2));
  const auto whole = whole_norm->forward(both);
  EXPECT_TRUE(at::allclose(output, whole.narrow(0, 0, 3), 1e-12, 1e-12));
  EXPECT_TRUE(at::allclose(norm->running_var, whole_norm->running_var, 1e-12, 1e-12));
  const auto found = torch::autograd::grad({output}, {input}, {direction})[0];
  const auto expected = torch::autograd::grad({whole}, {both}, {at::cat({direction, direction})})[0];
  EXPECT_TRUE(at::allclose(found, expected.narrow(0, 0, 3), 1e-10, 1e-12));
}

TEST(SynchronisedBatchNorm, TakesOneSumForwardsAndOneBackwards) {
  int sums = 0;
  auto norm = make_norm(at::kFloat);
  const auto x = at::randn({3, 5, 4, 4}).requires_grad_(true);
  const auto output = synchronised_batch_norm(x, *norm, [&](at::Tensor&) { ++sums; });
  EXPECT_EQ(sums, 1);
  output.sum().backward();
  EXPECT_EQ(sums, 2);
}

TEST(SynchronisedBatchNorm, OfOneImageWithOneValueAChannelHasNoVariance) {
  auto norm = make_norm(at::kFloat);
  const auto output = synchronised_batch_norm(at::full({1, 5, 1, 1}, 0.5), *norm, equal_ranks(2));
  EXPECT_TRUE(at::allclose(output.flatten(), norm->bias, 1e-3, 1e-3));
}

}  // namespace
}  // namespace slopegan
