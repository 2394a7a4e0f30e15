#include "models/efficientnet_lite0.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

namespace slopegan {

namespace {

/// Blocks of equal width and kernel size. The first block has the given stride; the others have stride 1 and are
/// residual.
struct BlockGroup {
  std::int64_t blocks, stride;
};
constexpr BlockGroup block_groups[] = {{1, 1}, {2, 2}, {2, 2}, {3, 2}, {3, 1}, {4, 2}, {1, 1}};

const at::Tensor& weight_named(const NamedTensors& weights, const std::string& name) {
  const auto found = weights.find(name);
  if (found == weights.end()) throw std::invalid_argument("EfficientNet-Lite0: the tensor " + name + " is missing");
  return found->second;
}

at::Tensor bounded(at::Tensor x) { return x.clamp_(0, 6); }  // ReLU6

/// TensorFlow's "same" padding: the output has ⌈size / stride⌉ rows. If the padding is odd, the extra row is added at
/// the end.
at::Tensor pad_same(const at::Tensor& x, std::int64_t kernel, std::int64_t stride) {
  const auto padding = [&](std::int64_t size) {
    return std::max<std::int64_t>(((size + stride - 1) / stride - 1) * stride + kernel - size, 0);
  };
  const std::int64_t rows = padding(x.size(2)), columns = padding(x.size(3));
  return at::constant_pad_nd(x, {columns / 2, columns - columns / 2, rows / 2, rows - rows / 2});
}

}  // namespace

EfficientNetLite0::Convolution EfficientNetLite0::folded(const NamedTensors& weights, const std::string& convolution,
                                                         const std::string& norm, std::int64_t stride) {
  constexpr double epsilon = 1e-3;
  const auto of_norm = [&](const char* name) { return weight_named(weights, norm + name); };
  const auto scale = of_norm(".weight") / at::sqrt(of_norm(".running_var") + epsilon);
  const auto weight = weight_named(weights, convolution + ".weight") * scale.view({-1, 1, 1, 1});
  return {weight.contiguous(at::MemoryFormat::ChannelsLast), of_norm(".bias") - of_norm(".running_mean") * scale,
          stride};
}

at::Tensor EfficientNetLite0::Convolution::operator()(const at::Tensor& input) const {
  const std::int64_t kernel = weight.size(2), groups = input.size(1) / weight.size(1);
  const std::vector<std::int64_t> strides(2, stride), padding(2, stride == 1 ? kernel / 2 : 0), dilation(2, 1);
  // With stride 1, the padding is symmetric, so conv2d can apply it without copying the input.
  const auto padded = stride == 1 ? input : pad_same(input, kernel, stride);
  return at::conv2d(padded, weight, bias, strides, padding, dilation, groups);
}

EfficientNetLite0::EfficientNetLite0(const NamedTensors& weights) {
  const at::NoGradGuard no_gradients;
  stem_ = folded(weights, "_conv_stem", "_bn0", 2);
  for (const auto& group : block_groups) {
    for (std::int64_t i = 0; i < group.blocks; ++i) {
      const std::string name = "_blocks." + std::to_string(blocks_.size()) + ".";
      Block block;
      if (!blocks_.empty()) block.expand = folded(weights, name + "_expand_conv", name + "_bn0");
      block.depthwise = folded(weights, name + "_depthwise_conv", name + "_bn1", i == 0 ? group.stride : 1);
      block.project = folded(weights, name + "_project_conv", name + "_bn2");
      block.is_residual = i > 0;
      blocks_.push_back(std::move(block));
    }
  }
  head_ = folded(weights, "_conv_head", "_bn1");
  class_weight_ = weight_named(weights, "_fc.weight");
  class_bias_ = weight_named(weights, "_fc.bias");
}

at::Tensor EfficientNetLite0::features(const at::Tensor& images) const {
  const at::NoGradGuard no_gradients;
  auto x = bounded(stem_(images.contiguous(at::MemoryFormat::ChannelsLast)));
  for (const auto& block : blocks_) {
    auto y = block.expand ? bounded((*block.expand)(x)) : x;
    y = block.project(bounded(block.depthwise(y)));
    x = block.is_residual ? y.add_(x) : y;
  }
  return bounded(head_(x)).mean(at::IntArrayRef{2, 3});
}

at::Tensor EfficientNetLite0::logits(const at::Tensor& features) const {
  const at::NoGradGuard no_gradients;
  return at::addmm(class_bias_, features, class_weight_.t());
}

void EfficientNetLite0::move_to(at::Device device) {
  const auto move = [device](Convolution& convolution) {
    convolution.weight = convolution.weight.to(device);
    convolution.bias = convolution.bias.to(device);
  };
  move(stem_);
  move(head_);
  for (auto& block : blocks_) {
    if (block.expand) move(*block.expand);
    move(block.depthwise);
    move(block.project);
  }
  class_weight_ = class_weight_.to(device);
  class_bias_ = class_bias_.to(device);
}

}  // namespace slopegan
