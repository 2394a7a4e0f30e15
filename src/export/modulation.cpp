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

OnnxOperation ModulationLayer::onnx() const {
  // Gemm multiplies by matrices [in, out]. Writing the halves of the output layer as two matrices makes Split
  // unnecessary, and including the 1 in the bias makes another Add unnecessary.
  const std::int64_t channels = output_weight.size(0) / 2;
  const auto matrix = [](const at::Tensor& weight) { return weight.t().contiguous(); };
  const auto weights = output_weight.chunk(2), biases = output_bias.chunk(2);
  return {onnx_self_modulation,
          {},
          {{"hidden.weight", matrix(hidden_weight)},
           {"hidden.bias", hidden_bias},
           {"scale.weight", matrix(weights[0])},
           {"scale.bias", 1 + biases[0]},
           {"shift.weight", matrix(weights[1])},
           {"shift.bias", biases[1].contiguous()},
           {"shape", at::tensor({std::int64_t{-1}, channels, std::int64_t{1}, std::int64_t{1}})}}};
}

std::optional<ModulationLayer> ModulationLayer::from_onnx(const OnnxOperation& operation) {
  if (operation.type != onnx_self_modulation) return std::nullopt;
  const auto tensor = [&](std::size_t index, std::int64_t dimensions) {
    const auto found = operation.tensor(index);
    require_onnx(found.defined() && found.dim() == dimensions && found.is_floating_point() == (index < 6),
                 "has a self-modulation with an invalid tensor");
    return found;
  };
  const auto hidden = tensor(0, 2), scale = tensor(2, 2), shift = tensor(4, 2);
  require_onnx(scale.size(0) == hidden.size(1) && scale.sizes() == shift.sizes() &&
                   tensor(1, 1).size(0) == hidden.size(1) && tensor(3, 1).size(0) == scale.size(1) &&
                   tensor(5, 1).size(0) == scale.size(1),
               "has a self-modulation whose shapes do not match");
  const auto shape = at::tensor({std::int64_t{-1}, scale.size(1), std::int64_t{1}, std::int64_t{1}});
  require_onnx(tensor(6, 1).equal(shape), "has a self-modulation with an invalid shape of the scale and shift");
  return ModulationLayer{.hidden_weight = hidden.t().contiguous(),
                         .hidden_bias = tensor(1, 1),
                         .output_weight = at::cat({scale, shift}, 1).t().contiguous(),
                         .output_bias = at::cat({tensor(3, 1) - 1, tensor(5, 1)})};
}

std::vector<OnnxNode> self_modulation_nodes(std::size_t layer, const std::string& input, const std::string& output) {
  const auto value = [&](const char* name) { return "layer" + std::to_string(layer) + "." + name; };
  const auto tensor = [&](const char* name) { return tensor_name(layer, name); };
  return {{{"Gemm"}, {"latents", tensor("hidden.weight"), tensor("hidden.bias")}, value("hidden")},
          {{"Relu"}, {value("hidden")}, value("relu")},
          {{"Gemm"}, {value("relu"), tensor("scale.weight"), tensor("scale.bias")}, value("scale")},
          {{"Reshape"}, {value("scale"), tensor("shape")}, value("scale_1x1")},
          {{"Mul"}, {input, value("scale_1x1")}, value("scaled")},
          {{"Gemm"}, {value("relu"), tensor("shift.weight"), tensor("shift.bias")}, value("shift")},
          {{"Reshape"}, {value("shift"), tensor("shape")}, value("shift_1x1")},
          {{"Add"}, {value("scaled"), value("shift_1x1")}, output}};
}

OnnxNode self_modulation_of(std::span<const OnnxNode> nodes, std::size_t layer, const std::string& input) {
  const std::size_t count = self_modulation_nodes(layer, input, "").size();
  require_onnx(nodes.size() >= count, "ends within a self-modulation");
  const std::string output = nodes[count - 1].output;
  const auto expected = self_modulation_nodes(layer, input, output);
  for (std::size_t i = 0; i < count; ++i) {
    require_onnx(nodes[i].operation.type == expected[i].operation.type && nodes[i].operation.attributes.empty() &&
                     nodes[i].inputs == expected[i].inputs && nodes[i].output == expected[i].output,
                 "has a self-modulation with an unexpected operator " + printable(nodes[i].operation.type));
  }
  OnnxNode whole{{onnx_self_modulation}, {input}, output};
  for (const char* name :
       {"hidden.weight", "hidden.bias", "scale.weight", "scale.bias", "shift.weight", "shift.bias", "shape"}) {
    whole.inputs.push_back(tensor_name(layer, name));
  }
  return whole;
}

}  // namespace slopegan
