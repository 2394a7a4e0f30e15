#include "export/network.h"

#include <stdexcept>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <nlohmann/json.hpp>

#include "export/onnx_model.h"
#include "layers/batch_norm.h"
#include "support/text.h"

namespace slopegan {

using nlohmann::ordered_json;

// --- Transposed convolution

LayerTensors TransposedConvolutionLayer::tensors() const {
  return bias.defined() ? LayerTensors{{"weight", weight}, {"bias", bias}} : LayerTensors{{"weight", weight}};
}

at::Tensor TransposedConvolutionLayer::run(const at::Tensor& x) const {
  const std::vector<std::int64_t> strides(2, stride), paddings(2, padding);
  return at::conv_transpose2d(x, weight, bias, strides, paddings);
}

OnnxOperation TransposedConvolutionLayer::onnx() const {
  const auto repeat = [](std::int64_t value, std::size_t directions) {
    return std::vector<std::int64_t>(directions, value);
  };
  return {"ConvTranspose",
          {{"kernel_shape", repeat(weight.size(2), 2)}, {"strides", repeat(stride, 2)}, {"pads", repeat(padding, 4)}},
          tensors()};
}

std::optional<TransposedConvolutionLayer> TransposedConvolutionLayer::from_onnx(const OnnxOperation& operation) {
  if (operation.type != "ConvTranspose") return std::nullopt;
  const auto weight = operation.tensor(0);
  require_onnx(weight.defined() && weight.dim() == 4 && operation.integer("kernel_shape") == weight.size(2),
               "has a convolution whose weight does not match its kernel_shape");
  const auto bias = operation.tensor(1);
  require_onnx(!bias.defined() || (bias.dim() == 1 && bias.size(0) == weight.size(1)),
               "has a convolution whose bias does not match its weight");
  return TransposedConvolutionLayer{
      .weight = weight, .bias = bias, .stride = operation.integer("strides"), .padding = operation.integer("pads")};
}

ordered_json TransposedConvolutionLayer::torch_module() const {
  return {"ConvTranspose2d",
          {{"in_channels", weight.size(0)},
           {"out_channels", weight.size(1)},
           {"kernel_size", weight.size(2)},
           {"stride", stride},
           {"padding", padding},
           {"bias", bias.defined()}}};
}

std::optional<TransposedConvolutionLayer> TransposedConvolutionLayer::from_torch_module(const ordered_json& module,
                                                                                        const TensorLookup& tensor) {
  if (module.at(0) != "ConvTranspose2d") return std::nullopt;
  const ordered_json& arguments = module.at(1);
  return TransposedConvolutionLayer{.weight = tensor("weight"),
                                    .bias = arguments.at("bias").get<bool>() ? tensor("bias") : at::Tensor(),
                                    .stride = arguments.at("stride"),
                                    .padding = arguments.at("padding")};
}

std::string TransposedConvolutionLayer::torchscript(const TensorExpression& tensor) const {
  return format_text("x = torch.conv_transpose2d(x, {}, {}, [{}, {}], [{}, {}])", tensor("weight"),
                     bias.defined() ? tensor("bias") : "None", stride, stride, padding, padding);
}

// --- Batch norm

LayerTensors BatchNormLayer::tensors() const {
  LayerTensors all;
  if (weight.defined()) all = {{"weight", weight}, {"bias", bias}};
  all.insert(all.end(), {{"running_mean", running_mean}, {"running_var", running_var}});
  return all;
}

BatchNormLayer BatchNormLayer::with_weight() const {
  BatchNormLayer layer = *this;
  if (!weight.defined()) layer.weight = at::ones_like(running_mean);
  if (!bias.defined()) layer.bias = at::zeros_like(running_mean);
  return layer;
}

at::Tensor BatchNormLayer::run(const at::Tensor& x) const {
  return at::batch_norm(x, weight, bias, running_mean, running_var, /*training=*/false, /*momentum=*/0, epsilon,
                        /*cudnn_enabled=*/false);
}

OnnxOperation BatchNormLayer::onnx() const {
  return {"BatchNormalization", {{"epsilon", static_cast<float>(epsilon)}}, with_weight().tensors()};
}

std::optional<BatchNormLayer> BatchNormLayer::from_onnx(const OnnxOperation& operation) {
  if (operation.type != "BatchNormalization") return std::nullopt;
  const auto channels = operation.tensor(0);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto tensor = operation.tensor(i);
    require_onnx(tensor.defined() && tensor.dim() == 1 && tensor.sizes() == channels.sizes(),
                 "has a batch norm whose tensors do not have one element per channel");
  }
  return BatchNormLayer{.weight = operation.tensor(0),
                        .bias = operation.tensor(1),
                        .running_mean = operation.tensor(2),
                        .running_var = operation.tensor(3),
                        .epsilon = operation.number("epsilon")};
}

ordered_json BatchNormLayer::torch_module() const {
  ordered_json arguments = {{"num_features", running_mean.size(0)}, {"eps", epsilon}};
  if (!weight.defined()) arguments["affine"] = false;
  return {"BatchNorm2d", arguments};
}

std::optional<BatchNormLayer> BatchNormLayer::from_torch_module(const ordered_json& module,
                                                                const TensorLookup& tensor) {
  if (module.at(0) != "BatchNorm2d") return std::nullopt;
  const bool affine = module.at(1).value("affine", true);
  return BatchNormLayer{.weight = affine ? tensor("weight") : at::Tensor(),
                        .bias = affine ? tensor("bias") : at::Tensor(),
                        .running_mean = tensor("running_mean"),
                        .running_var = tensor("running_var"),
                        .epsilon = module.at(1).at("eps")};
}

std::string BatchNormLayer::torchscript(const TensorExpression& tensor) const {
  return format_text("x = torch.batch_norm(x, {}, {}, {}, {}, False, 0.0, {}, True)",
                     weight.defined() ? tensor("weight") : "None", bias.defined() ? tensor("bias") : "None",
                     tensor("running_mean"), tensor("running_var"), shortest(epsilon));
}

// --- Leaky ReLU

LayerTensors LeakyLayer::tensors() const { return {}; }

at::Tensor LeakyLayer::run(const at::Tensor& x) const { return at::leaky_relu(x, negative_slope); }

OnnxOperation LeakyLayer::onnx() const {
  if (negative_slope == 0) return {"Relu"};
  return {"LeakyRelu", {{"alpha", static_cast<float>(negative_slope)}}};
}

std::optional<LeakyLayer> LeakyLayer::from_onnx(const OnnxOperation& operation) {
  if (operation.type == "Relu") return LeakyLayer{0};
  if (operation.type == "LeakyRelu") return LeakyLayer{operation.number("alpha")};
  return std::nullopt;
}

ordered_json LeakyLayer::torch_module() const { return {"LeakyReLU", {{"negative_slope", negative_slope}}}; }

std::optional<LeakyLayer> LeakyLayer::from_torch_module(const ordered_json& module, const TensorLookup& /*tensor*/) {
  if (module.at(0) != "LeakyReLU") return std::nullopt;
  return LeakyLayer{module.at(1).at("negative_slope")};
}

std::string LeakyLayer::torchscript(const TensorExpression& /*tensor*/) const {
  return format_text("x = torch.leaky_relu(x, {:.17e})", negative_slope);
}

// --- Leaky ReLU with learned slopes

LayerTensors LearnedSlopeLayer::tensors() const { return {{"weight", slope}}; }

at::Tensor LearnedSlopeLayer::run(const at::Tensor& x) const { return at::prelu(x, slope); }

OnnxOperation LearnedSlopeLayer::onnx() const {
  // PRelu broadcasts slopes from the right: one slope per channel has the shape [C, 1, 1].
  return {"PRelu", {}, {{"weight", slope.view({-1, 1, 1})}}};
}

std::optional<LearnedSlopeLayer> LearnedSlopeLayer::from_onnx(const OnnxOperation& operation) {
  if (operation.type != "PRelu") return std::nullopt;
  const auto slope = operation.tensor(0);
  require_onnx(slope.defined() && slope.dim() == 3 && slope.size(0) == slope.numel(),
               "has slopes whose shape is not [C, 1, 1]");
  return LearnedSlopeLayer{slope.flatten()};
}

ordered_json LearnedSlopeLayer::torch_module() const { return {"PReLU", {{"num_parameters", slope.numel()}}}; }

std::optional<LearnedSlopeLayer> LearnedSlopeLayer::from_torch_module(const ordered_json& module,
                                                                      const TensorLookup& tensor) {
  if (module.at(0) != "PReLU") return std::nullopt;
  return LearnedSlopeLayer{tensor("weight")};
}

std::string LearnedSlopeLayer::torchscript(const TensorExpression& tensor) const {
  return format_text("x = torch.prelu(x, {})", tensor("weight"));
}

// --- tanh

LayerTensors TanhLayer::tensors() const { return {}; }

at::Tensor TanhLayer::run(const at::Tensor& x) const { return at::tanh(x); }

OnnxOperation TanhLayer::onnx() const { return {"Tanh"}; }

std::optional<TanhLayer> TanhLayer::from_onnx(const OnnxOperation& operation) {
  return operation.type == "Tanh" ? std::optional<TanhLayer>(TanhLayer{}) : std::nullopt;
}

ordered_json TanhLayer::torch_module() const { return {"Tanh", ordered_json::object()}; }

std::optional<TanhLayer> TanhLayer::from_torch_module(const ordered_json& module, const TensorLookup& /*tensor*/) {
  return module.at(0) == "Tanh" ? std::optional<TanhLayer>(TanhLayer{}) : std::nullopt;
}

std::string TanhLayer::torchscript(const TensorExpression& /*tensor*/) const { return "x = torch.tanh(x)"; }

// --- All kinds

namespace {

/// Tries each alternative of the variant in order.
template <typename Variant>
struct AnyKind;
template <typename... Kinds>
struct AnyKind<std::variant<Kinds...>> {
  static std::optional<ExportedLayer> from_onnx(const OnnxOperation& operation) {
    std::optional<ExportedLayer> layer;
    static_cast<void>(((layer = Kinds::from_onnx(operation)).has_value() || ...));
    return layer;
  }
  static std::optional<ExportedLayer> from_torch_module(const ordered_json& module, const TensorLookup& tensor) {
    std::optional<ExportedLayer> layer;
    static_cast<void>(((layer = Kinds::from_torch_module(module, tensor)).has_value() || ...));
    return layer;
  }
};

at::Tensor plain(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.detach().to(at::kCPU, at::kFloat).contiguous() : at::Tensor();
}

/// One overload per alternative of FrozenActivation.
struct ActivationLayer {
  ExportedLayer operator()(const FixedSlope& fixed) const { return LeakyLayer{fixed.negative_slope}; }
  ExportedLayer operator()(const ChannelSlopes& channels) const { return LearnedSlopeLayer{plain(channels.slopes)}; }
};

/// Adds the layers of a block. `size`: the height and width of its output.
void add_block(ExportedNetwork& network, const BlockImpl& block, std::int64_t size) {
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
  if (block.modulation) {
    const auto &hidden = *block.modulation->hidden, &output = *block.modulation->output;
    network.layers.push_back(ModulationLayer{.hidden_weight = plain(hidden.weight),
                                             .hidden_bias = plain(hidden.bias),
                                             .output_weight = plain(output.weight),
                                             .output_bias = plain(output.bias),
                                             .size = size});
  }
  if (block.activation) network.layers.push_back(std::visit(ActivationLayer{}, block.activation->freeze()));
}

TransposedConvolutionLayer fold(const TransposedConvolutionLayer& conv, const BatchNormLayer& batch_norm) {
  const auto norm = batch_norm.with_weight();
  const BatchNormState state{.weight = norm.weight,
                             .bias = norm.bias,
                             .running_mean = norm.running_mean,
                             .running_variance = norm.running_var,
                             .epsilon = norm.epsilon};
  auto [weight, bias] = fold_batch_norm({conv.weight, conv.bias}, state);
  return {.weight = std::move(weight), .bias = std::move(bias), .stride = conv.stride, .padding = conv.padding};
}

}  // namespace

ExportedLayer layer_from_onnx(const OnnxOperation& operation) {
  auto layer = AnyKind<ExportedLayer>::from_onnx(operation);
  require_onnx(layer.has_value(), "uses the unsupported operator " + printable(operation.type));
  return *std::move(layer);
}

ExportedLayer layer_from_torch_module(const ordered_json& module, const TensorLookup& tensor) {
  auto layer = AnyKind<ExportedLayer>::from_torch_module(module, tensor);
  if (!layer) throw std::runtime_error("unknown layer kind: " + module.dump());
  return *std::move(layer);
}

// --- The network

ExportedNetwork exported_network(const LoadedGenerator& loaded) {
  const at::NoGradGuard no_gradients;
  const auto& generator = *loaded.generator;
  ExportedNetwork network{.latent_dim = generator.latent_dim(),
                          .channels = generator.blocks.back()->conv->options().out_channels,
                          .resolution = loaded.config.data.resolution,
                          .layers = {},
                          .notes = {{"run", loaded.config.run.name}, {"images", std::to_string(loaded.images)}}};
  std::int64_t size = 1;
  for (const auto& block : generator.blocks) {
    size = block->conv->output_size(size);
    add_block(network, *block, size);
  }
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
      *conv = fold(*conv, *norm);
    } else {
      result.layers.push_back(layer);
    }
  }
  return result;
}

at::Tensor run_network(const ExportedNetwork& network, const at::Tensor& latents) {
  const at::NoGradGuard no_gradients;
  auto x = latents.view({latents.size(0), network.latent_dim, 1, 1});
  for (const auto& layer : network.layers) {
    x = std::visit(
        [&](const auto& l) {
          if constexpr (requires { l.run(x, latents); }) {
            return l.run(x, latents);
          } else {
            return l.run(x);
          }
        },
        layer);
  }
  return x;
}

std::string tensor_name(std::size_t layer, const std::string& name) { return std::to_string(layer) + "." + name; }

NamedTensors state_dict(const ExportedNetwork& network) {
  NamedTensors tensors;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const auto own = std::visit([](const auto& l) { return l.tensors(); }, network.layers[i]);
    for (const auto& [name, tensor] : own) tensors.emplace(tensor_name(i, name), tensor);
  }
  return tensors;
}

}  // namespace slopegan
