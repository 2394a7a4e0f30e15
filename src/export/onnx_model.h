#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "export/network.h"

/// The part of the Open Neural Network Exchange format (https://onnx.ai) that generators need: a chain of Reshape,
/// ConvTranspose, BatchNormalization, Relu, LeakyRelu, PRelu and Tanh in opset 17. Self-modulation adds branches of
/// Gemm, Relu, Reshape and Resize from the latents, and applies them to the chain with Mul and Add.
namespace slopegan {

using OnnxAttribute = std::variant<float, std::int64_t, std::string, std::vector<std::int64_t>>;

/// An ONNX operator: its attributes in the order of the file, and its inputs except the first one, which is the output
/// of the previous operator.
struct OnnxOperation {
  std::string type;
  std::vector<std::pair<std::string, OnnxAttribute>> attributes{};
  LayerTensors tensors{};  ///< the inputs after the first one, with their names in the layer or the file

  /// The value of an attribute that is a list of equal integers, one per direction or side. Throws std::runtime_error
  /// if the attribute is missing or if its integers differ.
  std::int64_t integer(std::string_view name) const;
  /// The value of the attribute. Throws std::runtime_error if it is missing.
  double number(std::string_view name) const;
  /// The tensor at `index`; undefined if there are fewer tensors.
  at::Tensor tensor(std::size_t index) const { return index < tensors.size() ? tensors[index].second : at::Tensor(); }
};

/// An operator with the names of its inputs and its output.
struct OnnxNode {
  OnnxOperation operation;
  std::vector<std::string> inputs;
  std::string output;
};

/// Throws std::runtime_error("the ONNX model " + reason) unless the condition holds.
void require_onnx(bool condition, const std::string& reason);

// --- Self-modulation: several ONNX operators, which ModulationLayer represents as one operation

/// The OnnxOperation::type of a ModulationLayer. It is not the name of an ONNX operator.
inline constexpr const char* onnx_self_modulation = "self-modulation";

/// The ONNX nodes that a file contains for a self-modulation. `layer` is the index of the layer.
std::vector<OnnxNode> self_modulation_nodes(std::size_t layer, const std::string& input, const std::string& output);

/// The self-modulation as one node, if `nodes` begins with the result of self_modulation_nodes. Throws
/// std::runtime_error otherwise.
OnnxNode self_modulation_of(std::span<const OnnxNode> nodes, std::size_t layer, const std::string& input);

// --- Models

/// The bytes of an .onnx file with the input "latents", float32 [batch, latent_dim], and the output "images", float32
/// [batch, channels, resolution, resolution], where batch is any number. The tensors of all layers except
/// self-modulation are named as in state_dict.
std::string onnx_model(const ExportedNetwork& network);

/// Parses the output of onnx_model. Throws std::runtime_error if `bytes` are not such a model. It is safe to parse
/// arbitrary bytes.
ExportedNetwork parse_onnx_model(std::string_view bytes);

}  // namespace slopegan
