#include "export/onnx_model.h"

#include <array>
#include <span>

#include <ATen/ATen.h>

#include "export/onnx_fields.h"
#include "support/protobuf.h"

namespace slopegan {

namespace {

std::string float_attribute(std::string_view name, double value) {
  ProtobufMessage attribute;
  attribute.add_bytes(onnx::attribute::name, name);
  attribute.add_float(onnx::attribute::number, static_cast<float>(value));
  attribute.add_integer(onnx::attribute::type, onnx::attribute::float_type);
  return attribute.bytes();
}

/// `count` times the same: one for each direction.
std::string integers_attribute(std::string_view name, std::int64_t value, int count) {
  ProtobufMessage attribute;
  attribute.add_bytes(onnx::attribute::name, name);
  for (int i = 0; i < count; ++i) attribute.add_integer(onnx::attribute::integers, static_cast<std::uint64_t>(value));
  attribute.add_integer(onnx::attribute::type, onnx::attribute::integers_type);
  return attribute.bytes();
}

/// An operator of the chain, with its attributes encoded.
struct Operation {
  const char* type;
  std::vector<std::string> attributes{};
};

Operation onnx_operation(const ExportedLayer& layer) {
  const LayerVisitor operation{
      [](const TransposedConvolutionLayer& l) {
        return Operation{"ConvTranspose",
                         {integers_attribute("kernel_shape", l.weight.size(2), 2),
                          integers_attribute("strides", l.stride, 2), integers_attribute("pads", l.padding, 4)}};
      },
      [](const BatchNormLayer& l) { return Operation{"BatchNormalization", {float_attribute("epsilon", l.epsilon)}}; },
      [](const LeakyLayer& l) {
        if (l.negative_slope == 0) return Operation{"Relu"};
        return Operation{"LeakyRelu", {float_attribute("alpha", l.negative_slope)}};
      },
      [](const LearnedSlopeLayer&) { return Operation{"PRelu"}; },
      [](const TanhLayer&) { return Operation{"Tanh"}; },
  };
  return std::visit(operation, layer);
}

std::string onnx_tensor(const std::string& name, const at::Tensor& tensor, unsigned type) {
  ProtobufMessage message;
  for (const auto size : tensor.sizes()) {
    message.add_integer(onnx::tensor::sizes, static_cast<std::uint64_t>(size));
  }
  message.add_integer(onnx::tensor::data_type, type);
  message.add_bytes(onnx::tensor::name, name);
  message.add_bytes(onnx::tensor::raw_data, {static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()});
  return message.bytes();
}

/// float32 [batch, sizes...].
std::string onnx_value(std::string_view name, std::span<const std::int64_t> sizes) {
  ProtobufMessage batch, shape, tensor, type, value;
  batch.add_bytes(onnx::dimension::parameter, "batch");
  shape.add_bytes(onnx::shape::dimension, batch.bytes());
  for (const auto size : sizes) {
    ProtobufMessage dimension;
    dimension.add_integer(onnx::dimension::value, static_cast<std::uint64_t>(size));
    shape.add_bytes(onnx::shape::dimension, dimension.bytes());
  }
  tensor.add_integer(onnx::tensor_type::element_type, onnx::tensor::float_type);
  tensor.add_bytes(onnx::tensor_type::shape, shape.bytes());
  type.add_bytes(onnx::type::tensor_type, tensor.bytes());
  value.add_bytes(onnx::value_info::name, name);
  value.add_bytes(onnx::value_info::type, type.bytes());
  return value.bytes();
}

/// The nodes and tensors of a chain, each node working on the output of the one before.
class OnnxGraph {
 public:
  explicit OnnxGraph(std::string input) : value_(std::move(input)) {}

  void add(const Operation& operation, const std::vector<std::string>& tensors, const std::string& output) {
    ProtobufMessage node;
    node.add_bytes(onnx::node::input, value_);
    for (const auto& tensor : tensors) node.add_bytes(onnx::node::input, tensor);
    node.add_bytes(onnx::node::output, output);
    node.add_bytes(onnx::node::name, output + "." + operation.type);
    node.add_bytes(onnx::node::op_type, operation.type);
    for (const auto& attribute : operation.attributes) node.add_bytes(onnx::node::attribute, attribute);
    graph_.add_bytes(onnx::graph::node, node.bytes());
    value_ = output;
  }

  void add_tensor(const std::string& name, const at::Tensor& tensor, unsigned type = onnx::tensor::float_type) {
    graph_.add_bytes(onnx::graph::initializer, onnx_tensor(name, tensor, type));
  }

  ProtobufMessage& message() { return graph_; }

 private:
  ProtobufMessage graph_;
  std::string value_;
};

std::string onnx_graph(const ExportedNetwork& network) {
  OnnxGraph graph("latents");
  graph.message().add_bytes(onnx::graph::name, "generator");
  graph.add_tensor("image_axes", at::tensor({2, 3}, at::kLong), onnx::tensor::int64_type);
  graph.add({"Unsqueeze"}, {"image_axes"}, "latents_1x1");
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const auto& layer = network.layers[i];
    std::vector<std::string> names;
    for (const auto& [name, tensor] : layer_tensors(layer)) {
      names.push_back(tensor_name(i, name));
      // The slopes of PRelu are broadcast from the right: one a channel is [C, 1, 1].
      graph.add_tensor(names.back(),
                       std::holds_alternative<LearnedSlopeLayer>(layer) ? tensor.view({-1, 1, 1}) : tensor);
    }
    graph.add(onnx_operation(layer), names, i + 1 == network.layers.size() ? "images" : "layer" + std::to_string(i));
  }
  const std::array latents{network.latent_dim};
  const std::array images{network.channels, network.resolution, network.resolution};
  graph.message().add_bytes(onnx::graph::input, onnx_value("latents", latents));
  graph.message().add_bytes(onnx::graph::output, onnx_value("images", images));
  return graph.message().bytes();
}

}  // namespace

std::string onnx_model(const ExportedNetwork& network) {
  ProtobufMessage opset, model;
  opset.add_integer(onnx::operator_set::version, onnx::opset_version);
  model.add_integer(onnx::model::ir_version, onnx::ir_version);
  model.add_bytes(onnx::model::producer_name, "slopegan");
  model.add_bytes(onnx::model::graph, onnx_graph(network));
  model.add_bytes(onnx::model::opset_import, opset.bytes());
  for (const auto& [key, value] : network.notes) {
    ProtobufMessage entry;
    entry.add_bytes(onnx::string_entry::key, key);
    entry.add_bytes(onnx::string_entry::value, value);
    model.add_bytes(onnx::model::metadata_props, entry.bytes());
  }
  return model.bytes();
}

}  // namespace slopegan
