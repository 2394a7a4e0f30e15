#include "export/network.h"

#include <utility>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

namespace slopegan {

namespace {

at::Tensor plain(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.detach().to(at::kCPU, at::kFloat).contiguous() : at::Tensor();
}

ExportedLayer activation_layer(const FrozenActivation& activation) {
  const LayerVisitor layer{
      [](const FixedSlope& fixed) -> ExportedLayer { return LeakyLayer{fixed.negative_slope}; },
      [](const ChannelSlopes& channels) -> ExportedLayer { return LearnedSlopeLayer{plain(channels.slopes)}; },
  };
  return std::visit(layer, activation);
}

void add_block(ExportedNetwork& network, const BlockImpl& block) {
  const auto& conv = *block.conv;
  network.layers.push_back(TransposedConvolutionLayer{.weight = plain(conv.weight),
                                                      .bias = plain(conv.bias),
                                                      .stride = conv.options().stride,
                                                      .padding = conv.options().padding});
  if (block.norm) {
    const auto& norm = *block.norm;
    network.layers.push_back(BatchNormLayer{.weight = plain(norm.weight),
                                            .bias = plain(norm.bias),
                                            .running_mean = plain(norm.running_mean),
                                            .running_var = plain(norm.running_var),
                                            .epsilon = norm.options.eps()});
  }
  if (block.activation) network.layers.push_back(activation_layer(block.activation->freeze()));
}

TransposedConvolutionLayer folded(const TransposedConvolutionLayer& conv, const BatchNormLayer& norm) {
  auto [weight, bias] = fold_batch_norm({conv.weight, conv.bias}, {norm.weight, norm.bias, norm.running_mean,
                                                                   norm.running_var, /*momentum=*/0, norm.epsilon});
  return {.weight = std::move(weight), .bias = std::move(bias), .stride = conv.stride, .padding = conv.padding};
}

}  // namespace

ExportedNetwork exported_network(const LoadedGenerator& loaded) {
  const at::NoGradGuard no_gradients;
  const auto& generator = *loaded.generator;
  ExportedNetwork network{.latent_dim = generator.latent_dim(),
                          .channels = generator.blocks.back()->conv->options().out_channels,
                          .resolution = loaded.config.data.resolution,
                          .layers = {},
                          .notes = {{"run", loaded.config.run.name}, {"images", std::to_string(loaded.images)}}};
  for (const auto& block : generator.blocks) add_block(network, *block);
  network.layers.push_back(TanhLayer{});
  return network;
}

ExportedNetwork fold_batch_norm(const ExportedNetwork& network) {
  ExportedNetwork result = network;
  result.layers.clear();
  for (const auto& layer : network.layers) {
    const auto* norm = std::get_if<BatchNormLayer>(&layer);
    auto* conv = result.layers.empty() ? nullptr : std::get_if<TransposedConvolutionLayer>(&result.layers.back());
    if (norm != nullptr && conv != nullptr) {
      *conv = folded(*conv, *norm);
    } else {
      result.layers.push_back(layer);
    }
  }
  return result;
}

at::Tensor run_network(const ExportedNetwork& network, const at::Tensor& latents) {
  const at::NoGradGuard no_gradients;
  auto x = latents.view({latents.size(0), network.latent_dim, 1, 1});
  const LayerVisitor next{
      [&](const TransposedConvolutionLayer& layer) {
        const std::vector<std::int64_t> stride(2, layer.stride), padding(2, layer.padding);
        return at::conv_transpose2d(x, layer.weight, layer.bias, stride, padding);
      },
      [&](const BatchNormLayer& layer) {
        return at::batch_norm(x, layer.weight, layer.bias, layer.running_mean, layer.running_var, /*training=*/false,
                              /*momentum=*/0, layer.epsilon, /*cudnn_enabled=*/false);
      },
      [&](const LeakyLayer& layer) { return at::leaky_relu(x, layer.negative_slope); },
      [&](const LearnedSlopeLayer& layer) { return at::prelu(x, layer.slope); },
      [&](const TanhLayer&) { return at::tanh(x); },
  };
  for (const auto& layer : network.layers) x = std::visit(next, layer);
  return x;
}

std::vector<std::pair<std::string, at::Tensor>> layer_tensors(const ExportedLayer& layer) {
  using Tensors = std::vector<std::pair<std::string, at::Tensor>>;
  const LayerVisitor tensors{
      [](const TransposedConvolutionLayer& l) {
        return l.bias.defined() ? Tensors{{"weight", l.weight}, {"bias", l.bias}} : Tensors{{"weight", l.weight}};
      },
      [](const BatchNormLayer& l) {
        return Tensors{
            {"weight", l.weight}, {"bias", l.bias}, {"running_mean", l.running_mean}, {"running_var", l.running_var}};
      },
      [](const LeakyLayer&) { return Tensors{}; },
      [](const LearnedSlopeLayer& l) { return Tensors{{"weight", l.slope}}; },
      [](const TanhLayer&) { return Tensors{}; },
  };
  return std::visit(tensors, layer);
}

std::string tensor_name(std::size_t layer, const std::string& name) { return std::to_string(layer) + "." + name; }

NamedTensors state_dict(const ExportedNetwork& network) {
  NamedTensors tensors;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    for (const auto& [name, tensor] : layer_tensors(network.layers[i])) tensors.emplace(tensor_name(i, name), tensor);
  }
  return tensors;
}

}  // namespace slopegan
