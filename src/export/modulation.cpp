#include <array>
#include <string_view>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "export/network.h"
#include "export/onnx_model.h"
#include "support/text.h"

/// Self-modulation as a layer of an exported network.
namespace slopegan {

using nlohmann::ordered_json;

LayerTensors ModulationLayer::tensors() const {
  return {{"hidden.weight", hidden_weight},
          {"hidden.bias", hidden_bias},
          {"output.weight", output_weight},
          {"output.bias", output_bias}};
}

at::Tensor ModulationLayer::run(const at::Tensor& x, const at::Tensor& latents) const {
  TORCH_CHECK(size == 0 || (x.size(2) == size && x.size(3) == size), "self-modulation expects feature maps of size ",
              size, ", got ", x.sizes());
  const auto hidden = at::relu(at::linear(latents, hidden_weight, hidden_bias));
  const auto parts = at::linear(hidden, output_weight, output_bias).chunk(2, 1);
  const auto per_image = [](const at::Tensor& values) { return values.unsqueeze(-1).unsqueeze(-1); };
  return x * per_image(1 + parts[0]) + per_image(parts[1]);
}

ordered_json ModulationLayer::torch_module() const {
  return {"SelfModulation",
          {{"latent_dim", hidden_weight.size(1)},
           {"hidden_size", hidden_weight.size(0)},
           {"num_features", output_weight.size(0) / 2}}};
}

std::optional<ModulationLayer> ModulationLayer::from_torch_module(const ordered_json& module,
                                                                  const TensorLookup& tensor) {
  if (module.at(0) != "SelfModulation") return std::nullopt;
  return ModulationLayer{.hidden_weight = tensor("hidden.weight"),
                         .hidden_bias = tensor("hidden.bias"),
                         .output_weight = tensor("output.weight"),
                         .output_bias = tensor("output.bias")};
}

std::string ModulationLayer::torchscript(const TensorExpression& tensor) const {
  const std::string hidden =
      format_text("torch.relu(torch.linear(latents, {}, {}))", tensor("hidden.weight"), tensor("hidden.bias"));
  return format_text("scale, shift = torch.chunk(torch.linear({}, {}, {}), 2, 1)\n", hidden, tensor("output.weight"),
                     tensor("output.bias")) +
         "x = x * (1 + scale)[:, :, None, None] + shift[:, :, None, None]";
}

// --- ONNX

namespace {

/// The names of a self-modulation's tensors in ONNX.
constexpr std::array modulation_tensors = {"hidden.weight", "hidden.bias", "scale.weight", "scale.bias",
                                           "shift.weight",  "shift.bias",  "shape",        "scales"};

at::Tensor shape_of_scale(std::int64_t channels) {
  return at::tensor({std::int64_t{-1}, channels, std::int64_t{1}, std::int64_t{1}});
}

at::Tensor factors_of_resize(std::int64_t size) {
  return at::tensor({1.0f, 1.0f, static_cast<float>(size), static_cast<float>(size)});
}

/// The inverse of factors_of_resize.
std::int64_t size_after_resize(const at::Tensor& factors) {
  const double size = factors[-1].item<double>();
  const bool is_valid = size >= 1 && size <= 65536;  // false for NaN
  require_onnx(is_valid && factors.equal(factors_of_resize(static_cast<std::int64_t>(size))),
               "has a self-modulation with invalid sizes");
  return static_cast<std::int64_t>(size);
}

}  // namespace

OnnxOperation ModulationLayer::onnx() const {
  // The halves of the output layer are separate tensors, and scale.bias includes the 1 of 1 + scale, so that the graph
  // needs no Split and no further Add.
  const auto weights = output_weight.chunk(2), biases = output_bias.chunk(2);
  const std::array tensors = {hidden_weight,
                              hidden_bias,
                              weights[0].contiguous(),
                              1 + biases[0],
                              weights[1].contiguous(),
                              biases[1].contiguous(),
                              shape_of_scale(output_weight.size(0) / 2),
                              factors_of_resize(size)};
  OnnxOperation operation{onnx_self_modulation};
  for (std::size_t i = 0; i < tensors.size(); ++i) operation.tensors.emplace_back(modulation_tensors[i], tensors[i]);
  return operation;
}

std::optional<ModulationLayer> ModulationLayer::from_onnx(const OnnxOperation& operation) {
  if (operation.type != onnx_self_modulation) return std::nullopt;
  const auto tensor = [&](std::size_t index, std::int64_t dimensions) {
    const auto found = operation.tensor(index);
    const auto type = std::string_view(modulation_tensors[index]) == "shape" ? at::kLong : at::kFloat;
    require_onnx(found.defined() && found.dim() == dimensions && found.scalar_type() == type,
                 std::string("has a self-modulation with an invalid tensor ") + modulation_tensors[index]);
    return found;
  };
  const auto hidden = tensor(0, 2), scale = tensor(2, 2), shift = tensor(4, 2);
  const std::int64_t channels = scale.size(0);
  require_onnx(scale.size(1) == hidden.size(0) && scale.sizes() == shift.sizes() &&
                   tensor(1, 1).size(0) == hidden.size(0) && tensor(3, 1).size(0) == channels &&
                   tensor(5, 1).size(0) == channels && tensor(6, 1).equal(shape_of_scale(channels)),
               "has a self-modulation whose shapes do not match");
  return ModulationLayer{.hidden_weight = hidden,
                         .hidden_bias = tensor(1, 1),
                         .output_weight = at::cat({scale, shift}),
                         .output_bias = at::cat({tensor(3, 1) - 1, tensor(5, 1)}),
                         .size = size_after_resize(tensor(7, 1))};
}

std::vector<OnnxNode> self_modulation_nodes(std::size_t layer, const std::string& input, const std::string& output) {
  const auto value = [&](const char* name) { return "layer" + std::to_string(layer) + "." + name; };
  const auto tensor = [&](const char* name) { return tensor_name(layer, name); };
  const OnnxOperation linear{"Gemm", {{"transB", std::int64_t{1}}}};
  // The scale and shift are enlarged to the size of the feature maps, because OpenCV's dnn module 4.6 cannot broadcast
  // values that differ between the images of a batch. The second input of Resize (roi) is optional and omitted.
  const OnnxOperation resize{"Resize", {{"mode", std::string("nearest")}}};
  return {{linear, {"latents", tensor("hidden.weight"), tensor("hidden.bias")}, value("hidden")},
          {{"Relu"}, {value("hidden")}, value("relu")},
          {linear, {value("relu"), tensor("scale.weight"), tensor("scale.bias")}, value("scale")},
          {{"Reshape"}, {value("scale"), tensor("shape")}, value("scale_1x1")},
          {resize, {value("scale_1x1"), "", tensor("scales")}, value("scale_maps")},
          {{"Mul"}, {input, value("scale_maps")}, value("scaled")},
          {linear, {value("relu"), tensor("shift.weight"), tensor("shift.bias")}, value("shift")},
          {{"Reshape"}, {value("shift"), tensor("shape")}, value("shift_1x1")},
          {resize, {value("shift_1x1"), "", tensor("scales")}, value("shift_maps")},
          {{"Add"}, {value("scaled"), value("shift_maps")}, output}};
}

OnnxNode self_modulation_of(std::span<const OnnxNode> nodes, std::size_t layer, const std::string& input) {
  const std::size_t count = self_modulation_nodes(layer, input, "").size();
  require_onnx(nodes.size() >= count, "ends within a self-modulation");
  const std::string output = nodes[count - 1].output;
  const auto expected = self_modulation_nodes(layer, input, output);
  for (std::size_t i = 0; i < count; ++i) {
    require_onnx(nodes[i].operation.type == expected[i].operation.type &&
                     nodes[i].operation.attributes == expected[i].operation.attributes &&
                     nodes[i].inputs == expected[i].inputs && nodes[i].output == expected[i].output,
                 "has a self-modulation with an unexpected operator " + printable(nodes[i].operation.type));
  }
  OnnxNode whole{{onnx_self_modulation}, {input}, output};
  for (const char* name : modulation_tensors) whole.inputs.push_back(tensor_name(layer, name));
  return whole;
}

}  // namespace slopegan
