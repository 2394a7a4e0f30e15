#include "evaluation/random_extractor.h"

#include <array>
#include <cmath>

#include <ATen/ATen.h>

#include "evaluation/cache.h"
#include "layers/initialisation.h"

namespace slopegan {

namespace {

constexpr std::uint64_t weights_seed = 0;

/// Draws the weights of three layers from N(0, gain²/fan_in), with the usual gain of tanh, 5/3.
std::vector<at::Tensor> random_weights(std::int64_t channels) {
  constexpr std::array<std::int64_t, 3> widths = {16, 32, 32};
  std::vector<at::Tensor> weights;
  std::int64_t in = channels;
  for (const auto out : widths) {
    auto weight = at::empty({out, in, 4, 4});
    const double fan_in = static_cast<double>(in) * 16;
    fill_normal(weight, 0, 5.0 / 3 / std::sqrt(fan_in), weights_seed,
                "random_extractor." + std::to_string(weights.size()));
    weights.push_back(weight);
    in = out;
  }
  return weights;
}

NamedTensors numbered(const std::vector<at::Tensor>& weights) {
  NamedTensors named;
  for (std::size_t i = 0; i < weights.size(); ++i) named.emplace("weight" + std::to_string(i), weights[i]);
  return named;
}

}  // namespace

RandomExtractor::RandomExtractor(std::int64_t channels) : RandomExtractor(channels, random_weights(channels)) {}

RandomExtractor::RandomExtractor(std::int64_t channels, std::vector<at::Tensor> weights)
    : FeatureExtractor(
          extractor_name("random-" + std::to_string(channels) + "-channel", tensor_hash(numbered(weights)))),
      weights_(std::move(weights)) {}

Extraction RandomExtractor::extract_batch(const at::Tensor& images) {
  at::Tensor x = images;
  for (const auto& weight : weights_) {
    x = at::tanh(at::conv2d(x, weight, {}, at::IntArrayRef{2, 2}, at::IntArrayRef{1, 1}));
  }
  return {at::adaptive_avg_pool2d(x, {2, 2}).flatten(1), {}};
}

bool RandomExtractor::move_network(at::Device device) {
  for (auto& weight : weights_) weight = weight.to(device);
  return true;
}

}  // namespace slopegan
