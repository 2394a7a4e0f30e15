#include "demo/dying_relu_networks.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "layers/activation.h"
#include "layers/initialisation.h"

namespace slopegan {

namespace {

/// Standard normals as float64, keyed by (seed, name).
at::Tensor keyed_normals(at::IntArrayRef shape, std::uint64_t seed, const std::string& name) {
  auto weights = at::empty(shape, at::kDouble);
  fill_normal(weights, 0, 1, seed, "demo/dying_relu/" + name);
  return weights;
}

/// Runs `networks` chains at once on `inputs` numbers each and calls visit(h) with what each layer puts out, [networks,
/// width, inputs].
template <typename Visit>
void run_chains(ChainShape shape, double negative_slope, const at::Tensor& inputs, std::int64_t networks,
                std::uint64_t seed, Visit&& visit) {
  const at::NoGradGuard no_gradients;
  LeakyReLU activation(LeakyReLUOptions{negative_slope});
  const double gain = leaky_relu_gain(negative_slope);
  auto h = inputs.view({1, 1, -1}).expand({networks, 1, -1});
  for (std::int64_t layer = 0; layer < shape.layers; ++layer) {
    const auto fan_in = h.size(1);
    const auto name = "chain" + std::to_string(shape.width) + "/" + std::to_string(layer);
    const auto weights = keyed_normals({networks, shape.width, fan_in}, seed, name);
    h = activation->forward(at::bmm(weights, h) * (gain / std::sqrt(static_cast<double>(fan_in))));
    visit(h);
  }
}

}  // namespace

Count count_point_deaths(ChainShape shape, double negative_slope, std::int64_t networks, std::uint64_t seed) {
  auto dead = at::zeros({networks}, at::kBool);
  run_chains(shape, negative_slope, at::ones({1}, at::kDouble), networks, seed,
             [&](const at::Tensor& h) { dead.logical_or_((h == 0).flatten(1).all(1)); });
  return {dead.sum().item<std::int64_t>(), networks};
}

double point_death_probability(ChainShape shape, double negative_slope) {
  return negative_slope == 0 ? born_dead_bound(shape) : 0;
}

Count count_born_dead(ChainShape shape, double negative_slope, std::int64_t networks, std::uint64_t seed) {
  at::Tensor last;
  run_chains(shape, negative_slope, at::tensor({1.0, -1.0}), networks, seed, [&](const at::Tensor& h) { last = h; });
  return {(last == 0).flatten(1).all(1).sum().item<std::int64_t>(), networks};
}

double born_dead_bound(ChainShape shape) {
  const double reached = 1 - std::exp2(-static_cast<double>(shape.width));
  return 1 - std::pow(reached, static_cast<double>(shape.layers));
}

Recovery recover(const RecoveryProblem& problem, double negative_slope) {
  LeakyReLU activation(LeakyReLUOptions{negative_slope});
  auto bias = at::full({1}, problem.bias, at::kDouble).requires_grad_();
  Recovery recovery;
  recovery.biases.push_back(problem.bias);
  for (std::int64_t step = 1; step <= problem.most_steps && recovery.steps < 0; ++step) {
    const auto loss = (activation->forward(bias) - problem.target).square().sum() / 2;
    const auto gradient = torch::autograd::grad({loss}, {bias}).front();
    {
      const at::NoGradGuard no_gradients;
      bias.sub_(gradient, problem.rate);
    }
    recovery.biases.push_back(bias.item<double>());
    if (recovery.biases.back() > 0) recovery.steps = step;
  }
  recovery.bit_identical = recovery.biases.back() == problem.bias;
  return recovery;
}

std::int64_t predicted_recovery(const RecoveryProblem& problem, double negative_slope) {
  const double a = negative_slope;
  if (a == 0) return -1;
  return static_cast<std::int64_t>(
      std::ceil(-std::log1p(-a * problem.bias / problem.target) / std::log1p(-problem.rate * a * a)));
}

double correlation_map(double correlation, double negative_slope) {
  const double a = negative_slope, c = std::clamp(correlation, -1.0, 1.0), pi = std::numbers::pi;
  const double rectified = (std::sqrt(1 - c * c) + c * (pi - std::acos(c))) / (2 * pi);
  return 2 / (1 + a * a) * (a * c + (1 - a) * (1 - a) * rectified);
}

static double cosine(const at::Tensor& pair) {
  const auto u = pair.select(1, 0), v = pair.select(1, 1);
  return (at::dot(u, v) / (u.norm() * v.norm())).item<double>();
}

std::vector<Correlations> measure_correlations(const std::vector<double>& negative_slopes, std::int64_t layers,
                                               std::int64_t width, std::int64_t networks, std::uint64_t seed) {
  const at::NoGradGuard no_gradients;
  // Two orthogonal inputs of one length.
  const auto half = at::ones({width / 2}, at::kDouble);
  const auto inputs = at::stack({at::cat({half, half}), at::cat({half, -half})}, 1);
  const auto slopes = std::ssize(negative_slopes);
  auto table = at::zeros({slopes, networks, layers}, at::kDouble);
  for (std::int64_t network = 0; network < networks; ++network) {
    std::vector<at::Tensor> h(negative_slopes.size(), inputs);
    for (std::int64_t layer = 0; layer < layers; ++layer) {
      const auto name = "wide" + std::to_string(network) + "/" + std::to_string(layer);
      const auto weights = keyed_normals({width, width}, seed, name) / std::sqrt(static_cast<double>(width));
      for (std::size_t i = 0; i < h.size(); ++i) {
        const double slope = negative_slopes[i];
        LeakyReLU activation(LeakyReLUOptions{slope});
        h[i] = activation->forward(at::mm(weights, h[i]) * leaky_relu_gain(slope));
        table[static_cast<std::int64_t>(i)][network][layer] = cosine(h[i]);
      }
    }
  }
  const auto values = [layers](const at::Tensor& row) {
    return std::vector<double>(row.const_data_ptr<double>(), row.const_data_ptr<double>() + layers);
  };
  std::vector<Correlations> all;
  for (std::int64_t i = 0; i < slopes; ++i) {
    const auto of_slope = table[i];
    all.push_back({values(of_slope.mean(0)), values(of_slope.std(0) / std::sqrt(static_cast<double>(networks)))});
  }
  return all;
}

}  // namespace slopegan
