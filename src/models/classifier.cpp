#include "models/classifier.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "layers/initialisation.h"

namespace slopegan {

ClassifierImpl::ClassifierImpl(std::int64_t resolution, std::int64_t channels, std::int64_t classes,
                               std::uint64_t seed) {
  constexpr std::int64_t last_size = 4, first_width = 16, most_width = 64;
  std::int64_t in = channels, out = first_width;
  for (std::int64_t size = resolution; size > last_size; size /= 2) {
    const std::string number = std::to_string(convolutions_.size());
    convolutions_.push_back(register_module(
        "conv" + number, Convolution(ConvolutionOptions{
                             .in_channels = in, .out_channels = out, .kernel = 3, .stride = 1, .padding = 1})));
    norms_.push_back(register_module("norm" + number, torch::nn::BatchNorm2d(out)));
    in = out;
    out = std::min(2 * out, most_width);
  }
  features_ = register_module("features", torch::nn::Linear(in * last_size * last_size, feature_count));
  logits_ = register_module("logits", torch::nn::Linear(feature_count, classes));
  initialise(seed);
}

void ClassifierImpl::initialise(std::uint64_t seed) {
  const at::NoGradGuard no_gradients;
  for (auto& [name, parameter] : slopegan::named_parameters(*this)) {
    if (parameter.dim() > 1) {
      const double fan_in = static_cast<double>(parameter[0].numel());
      fill_normal(parameter, 0, 1 / std::sqrt(fan_in), seed, "classifier." + name);
    } else if (name.ends_with(".bias")) {
      parameter.zero_();
    }
  }
}

at::Tensor ClassifierImpl::normalised_convolution(std::size_t layer, const at::Tensor& input) {
  auto& convolution = *convolutions_[layer];
  auto& norm = *norms_[layer];
  // Pooling is three times as fast in this format as in LibTorch's default. The format is requested explicitly, because
  // that of a tensor with one channel is ambiguous.
  constexpr auto format = at::MemoryFormat::ChannelsLast;
  if (is_training()) return norm.forward(convolution.forward(input).contiguous(format));
  // In evaluation mode the running statistics are constants: folding them into the kernel saves a pass over memory.
  const auto scale = norm.weight / at::sqrt(norm.running_var + norm.options.eps());
  const auto kernel = (convolution.weight * scale.view({-1, 1, 1, 1})).contiguous(format);
  return at::conv2d(input, kernel, norm.bias - norm.running_mean * scale, 1, 1).contiguous(format);
}

ClassifierImpl::Output ClassifierImpl::forward(const at::Tensor& images) {
  at::Tensor x = images;
  for (std::size_t i = 0; i < convolutions_.size(); ++i) {
    // tanh is monotonic, so applying it after pooling gives the same result at a quarter of the cost.
    x = at::tanh(at::max_pool2d(normalised_convolution(i, x), 2));
  }
  const auto features = at::tanh(features_->forward(x.flatten(1)));
  return {features, logits_->forward(features)};
}

}  // namespace slopegan
