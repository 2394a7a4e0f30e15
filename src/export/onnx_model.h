#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "export/network.h"

/// The part of the Open Neural Network Exchange format (https://onnx.ai) that generators need: a chain of Reshape,
/// ConvTranspose, BatchNormalization, Relu, LeakyRelu, PRelu and Tanh, in opset 17.
namespace slopegan {

using OnnxAttribute = std::variant<float, std::vector<std::int64_t>>;

/// An ONNX operator: its attributes in the order of the file, and its inputs except the first one, which is the output
/// of the previous operator.
struct OnnxOperation {
  std::string type;
  std::vector<std::pair<std::string, OnnxAttribute>> attributes{};
  /// The inputs after the first one. A layer's onnx() leaves the list empty if they equal the layer's tensors().
  std::vector<at::Tensor> tensors{};

  /// The value that all integers in the attribute share (one per direction or side). Throws std::runtime_error if the
  /// attribute is missing or if the integers differ.
  std::int64_t integer(std::string_view name) const;
  /// The value of the attribute. Throws std::runtime_error if it is missing.
  double number(std::string_view name) const;
  /// The tensor at `index`; undefined if there are fewer tensors.
  at::Tensor tensor(std::size_t index) const { return index < tensors.size() ? tensors[index] : at::Tensor(); }
};

/// Throws std::runtime_error("the ONNX model " + reason) unless the condition holds.
void require_onnx(bool condition, const std::string& reason);

/// The bytes of an .onnx file with the input "latents", float32 [batch, latent_dim], and the output "images", float32
/// [batch, channels, resolution, resolution], where batch is any number. Initialisers have the names of state_dict.
std::string onnx_model(const ExportedNetwork& network);

/// Parses the output of onnx_model. Throws std::runtime_error if `bytes` are not such a model. It is safe to parse
/// arbitrary bytes.
ExportedNetwork parse_onnx_model(std::string_view bytes);

}  // namespace slopegan
