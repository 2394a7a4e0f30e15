#include "models/inference_generator.h"

#include <optional>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "layers/batch_norm.h"
#include "layers/strided_convolution.h"

namespace slopegan {

namespace {

using Function = std::function<at::Tensor(const at::Tensor& x)>;
using Stage = std::function<at::Tensor(const at::Tensor& x, const at::Tensor& latent)>;

/// Returns the weights of the convolution with batch norm folded in.
TransposedWeights folded_weights(const BlockImpl& block) {
  const auto& conv = *block.conv;
  if (block.norm) return fold_batch_norm({conv.weight, conv.bias}, block.norm->state());
  const auto bias = conv.bias.defined() ? conv.bias : at::zeros({conv.weight.size(1)}, conv.weight.options());
  return {conv.weight.detach().clone(), bias.detach().clone()};
}

/// A convolution from 1×1 to k×k, which is a matrix product.
Function dense_convolution(const ConvolutionOptions& options, const TransposedWeights& weights, at::ScalarType type) {
  const std::int64_t k = options.kernel, out = weights.weight.size(1);
  const auto matrix = weights.weight.permute({0, 2, 3, 1}).flatten(1).to(type).contiguous();
  const auto bias = weights.bias.repeat({k * k}).to(type);
  return [=](const at::Tensor& x) {
    return at::addmm(bias, x.flatten(1), matrix).view({x.size(0), k, k, out}).permute({0, 3, 1, 2});
  };
}

Function plain_convolution(const ConvolutionOptions& options, const TransposedWeights& weights, at::ScalarType type) {
  const std::vector<std::int64_t> stride(2, options.stride), padding(2, options.padding);
  const auto weight = weights.weight.to(type), bias = weights.bias.to(type);
  return [=](const at::Tensor& x) { return at::conv_transpose2d(x, weight, bias, stride, padding); };
}

/// Whether FixedTransposedConvolution can compute the convolution.
bool is_fixed(const BlockImpl& block, at::ScalarType type) {
  const auto& options = block.conv->options();
  return options.kernel == 4 && options.stride == 2 && options.padding == 1 && block.conv->weight.is_cpu() &&
         (type == at::kFloat || type == at::kBFloat16);
}

/// Returns the slope of the leaky ReLU if the convolution can apply it itself, and std::nullopt otherwise.
std::optional<double> fusible_slope(const BlockImpl& block, at::ScalarType type) {
  if (!block.activation || block.modulation || !is_fixed(block, type)) return std::nullopt;
  const auto slope = block.activation->leaky_relu_slope();
  return slope && *slope >= 0 ? slope : std::nullopt;
}

/// Returns the convolution, followed by a leaky ReLU with the given slope. The slope must be 1 unless is_fixed().
Function make_convolution(const BlockImpl& block, at::ScalarType type, double slope) {
  const auto weights = folded_weights(block);
  const auto& options = block.conv->options();
  if (options.stride == 1 && options.padding == 0) return dense_convolution(options, weights, type);
  if (!is_fixed(block, type)) return plain_convolution(options, weights, type);
  return FixedTransposedConvolution(weights.weight, weights.bias, type, slope);
}

/// Returns a copy that computes in float32, or in float64 if `type` is float64.
LatentModulation copy_modulation(const LatentModulation& live, at::ScalarType type) {
  const auto &hidden = live->hidden->weight, &output = live->output->weight;
  LatentModulation copy(hidden.size(1), output.size(0) / 2);
  copy->to(hidden.device(), type == at::kDouble ? at::kDouble : at::kFloat);
  const auto from = live->parameters();
  auto to = copy->parameters();
  for (std::size_t i = 0; i < to.size(); ++i) to[i].copy_(from[i]);
  return copy;
}

Stage make_stage(const BlockImpl& block, at::ScalarType type) {
  const auto fused_slope = fusible_slope(block, type);
  Stage stage = [convolution = make_convolution(block, type, fused_slope.value_or(1))](
                    const at::Tensor& x, const at::Tensor& /*latent*/) { return convolution(x); };
  if (block.modulation) {
    stage = [before = std::move(stage), modulation = copy_modulation(block.modulation, type)](
                const at::Tensor& x, const at::Tensor& latent) {
      return modulate(before(x, latent), modulation.ptr()->forward(latent));
    };
  }
  if (!block.activation || fused_slope) return stage;
  return [before = std::move(stage), frozen = block.activation->freeze()](
             const at::Tensor& x, const at::Tensor& latent) { return activate(frozen, before(x, latent)); };
}

}  // namespace

InferenceGenerator::InferenceGenerator(const Generator& generator, at::ScalarType type)
    : device_(generator->blocks.front()->conv->weight.device()), type_(type) {
  const at::NoGradGuard no_gradients;
  for (const auto& block : generator->blocks) stages_.push_back(make_stage(*block, type));
}

at::Tensor InferenceGenerator::operator()(const at::Tensor& latent) const {
  const at::NoGradGuard no_gradients;
  const auto z = latent.to(device_, type_);
  auto x = z.view({latent.size(0), latent.size(1), 1, 1});
  for (const auto& stage : stages_) x = stage(x, z);
  return at::tanh(x.scalar_type() == at::kDouble ? x : x.to(at::kFloat));
}

}  // namespace slopegan
