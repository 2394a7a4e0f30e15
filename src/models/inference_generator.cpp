#include "models/inference_generator.h"

#include <optional>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "layers/batch_norm.h"
#include "layers/strided_convolution.h"

namespace slopegan {

namespace {

using Stage = std::function<at::Tensor(const at::Tensor&)>;

/// Returns the weights of the convolution with batch norm folded in.
TransposedWeights folded_weights(const BlockImpl& block) {
  const auto& conv = *block.conv;
  if (block.norm) return fold_batch_norm({conv.weight, conv.bias}, block.norm->state());
  const auto bias = conv.bias.defined() ? conv.bias : at::zeros({conv.weight.size(1)}, conv.weight.options());
  return {conv.weight.detach().clone(), bias.detach().clone()};
}

Stage activation_stage(const BlockImpl& block) {
  if (!block.activation) return {};
  return [frozen = block.activation->freeze()](const at::Tensor& x) { return activate(frozen, x); };
}

/// Returns the slope of the leaky ReLU if the convolution can apply it itself, 1 for a block without an activation, and
/// std::nullopt otherwise.
std::optional<double> fusible_slope(const BlockImpl& block) {
  if (!block.activation) return 1;
  const auto slope = block.activation->leaky_relu_slope();
  return slope && *slope >= 0 ? slope : std::nullopt;
}

/// Returns a stage that applies `first` and then `second`, which may be empty.
Stage chain(Stage first, Stage second) {
  if (!second) return first;
  return [first = std::move(first), second = std::move(second)](const at::Tensor& x) { return second(first(x)); };
}

/// Returns a stage for a convolution from 1×1 to k×k, which is a matrix product.
Stage dense_stage(const BlockImpl& block, const TransposedWeights& weights, at::ScalarType type) {
  const std::int64_t k = block.conv->options().kernel, out = weights.weight.size(1);
  const auto matrix = weights.weight.permute({0, 2, 3, 1}).flatten(1).to(type).contiguous();
  const auto bias = weights.bias.repeat({k * k}).to(type);
  return chain(
      [=](const at::Tensor& x) {
        return at::addmm(bias, x.flatten(1), matrix).view({x.size(0), k, k, out}).permute({0, 3, 1, 2});
      },
      activation_stage(block));
}

Stage plain_stage(const BlockImpl& block, const TransposedWeights& weights, at::ScalarType type) {
  const auto& options = block.conv->options();
  const std::vector<std::int64_t> stride(2, options.stride), padding(2, options.padding);
  const auto weight = weights.weight.to(type), bias = weights.bias.to(type);
  return chain([=](const at::Tensor& x) { return at::conv_transpose2d(x, weight, bias, stride, padding); },
               activation_stage(block));
}

Stage make_stage(const BlockImpl& block, at::ScalarType type) {
  const auto weights = folded_weights(block);
  const auto& options = block.conv->options();
  if (options.stride == 1 && options.padding == 0) return dense_stage(block, weights, type);
  const bool is_strided = options.kernel == 4 && options.stride == 2 && options.padding == 1;
  const bool is_fixed = is_strided && weights.weight.is_cpu() && (type == at::kFloat || type == at::kBFloat16);
  if (!is_fixed) return plain_stage(block, weights, type);
  const auto slope = fusible_slope(block);
  const FixedTransposedConvolution convolution(weights.weight, weights.bias, type, slope.value_or(1));
  return chain(convolution, slope ? Stage() : activation_stage(block));
}

}  // namespace

InferenceGenerator::InferenceGenerator(const Generator& generator, at::ScalarType type)
    : device_(generator->blocks.front()->conv->weight.device()), type_(type) {
  const at::NoGradGuard no_gradients;
  for (const auto& block : generator->blocks) stages_.push_back(make_stage(*block, type));
}

at::Tensor InferenceGenerator::operator()(const at::Tensor& latent) const {
  const at::NoGradGuard no_gradients;
  auto x = latent.to(device_, type_).view({latent.size(0), latent.size(1), 1, 1});
  for (const auto& stage : stages_) x = stage(x);
  return at::tanh(x.scalar_type() == at::kDouble ? x : x.to(at::kFloat));
}

}  // namespace slopegan
