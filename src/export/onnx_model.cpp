#include "export/onnx_model.h"

#include <array>
#include <protozero/pbf_builder.hpp>
#include <span>

#include <ATen/ATen.h>

#include "export/onnx_fields.h"

namespace slopegan {

namespace {

using protozero::pbf_builder;

std::string float_attribute(std::string_view name, double value) {
  std::string bytes;
  pbf_builder<onnx::Attribute> attribute(bytes);
  attribute.add_string(onnx::Attribute::name, name);
  attribute.add_float(onnx::Attribute::f, static_cast<float>(value));
  attribute.add_enum(onnx::Attribute::type, onnx::attribute_float);
  return bytes;
}

/// `value` repeated `count` times: once per direction.
std::string ints_attribute(std::string_view name, std::int64_t value, int count) {
  std::string bytes;
  pbf_builder<onnx::Attribute> attribute(bytes);
  attribute.add_string(onnx::Attribute::name, name);
  for (int i = 0; i < count; ++i) attribute.add_int64(onnx::Attribute::ints, value);
  attribute.add_enum(onnx::Attribute::type, onnx::attribute_ints);
  return bytes;
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
                         {ints_attribute("kernel_shape", l.weight.size(2), 2), ints_attribute("strides", l.stride, 2),
                          ints_attribute("pads", l.padding, 4)}};
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

/// Adds a value of type float32 [batch, sizes...] to the graph.
void add_value(pbf_builder<onnx::Graph>& graph, onnx::Graph field, std::string_view name,
               std::span<const std::int64_t> sizes) {
  pbf_builder<onnx::ValueInfo> value(graph, field);
  value.add_string(onnx::ValueInfo::name, name);
  pbf_builder<onnx::Type> type(value, onnx::ValueInfo::type);
  pbf_builder<onnx::TensorType> tensor(type, onnx::Type::tensor_type);
  tensor.add_enum(onnx::TensorType::elem_type, onnx::tensor_float);
  pbf_builder<onnx::Shape> shape(tensor, onnx::TensorType::shape);
  pbf_builder<onnx::Dimension>(shape, onnx::Shape::dim).add_string(onnx::Dimension::dim_param, "batch");
  for (const auto size : sizes) {
    pbf_builder<onnx::Dimension>(shape, onnx::Shape::dim).add_int64(onnx::Dimension::dim_value, size);
  }
}

/// Writes the nodes and tensors of a chain. Each node takes the output of the previous one.
class OnnxGraph {
 public:
  OnnxGraph(pbf_builder<onnx::Model>& model, std::string input)
      : graph_(model, onnx::Model::graph), value_(std::move(input)) {}

  void add(const Operation& operation, const std::vector<std::string>& tensors, const std::string& output) {
    pbf_builder<onnx::Node> node(graph_, onnx::Graph::node);
    node.add_string(onnx::Node::input, value_);
    for (const auto& tensor : tensors) node.add_string(onnx::Node::input, tensor);
    node.add_string(onnx::Node::output, output);
    node.add_string(onnx::Node::name, output + "." + operation.type);
    node.add_string(onnx::Node::op_type, operation.type);
    for (const auto& attribute : operation.attributes) node.add_message(onnx::Node::attribute, attribute);
    value_ = output;
  }

  void add_tensor(const std::string& name, const at::Tensor& tensor, int type = onnx::tensor_float) {
    pbf_builder<onnx::Tensor> message(graph_, onnx::Graph::initializer);
    for (const auto size : tensor.sizes()) message.add_int64(onnx::Tensor::dims, size);
    message.add_int32(onnx::Tensor::data_type, type);
    message.add_string(onnx::Tensor::name, name);
    message.add_bytes(onnx::Tensor::raw_data, static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes());
  }

  pbf_builder<onnx::Graph>& message() { return graph_; }

 private:
  pbf_builder<onnx::Graph> graph_;
  std::string value_;
};

void add_graph(pbf_builder<onnx::Model>& model, const ExportedNetwork& network) {
  OnnxGraph graph(model, "latents");
  graph.message().add_string(onnx::Graph::name, "generator");
  graph.add_tensor("image_axes", at::tensor({2, 3}, at::kLong), onnx::tensor_int64);
  graph.add({"Unsqueeze"}, {"image_axes"}, "latents_1x1");
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const auto& layer = network.layers[i];
    std::vector<std::string> names;
    for (const auto& [name, tensor] : layer_tensors(layer)) {
      names.push_back(tensor_name(i, name));
      // PRelu broadcasts slopes from the right: one slope per channel has the shape [C, 1, 1].
      graph.add_tensor(names.back(),
                       std::holds_alternative<LearnedSlopeLayer>(layer) ? tensor.view({-1, 1, 1}) : tensor);
    }
    graph.add(onnx_operation(layer), names, i + 1 == network.layers.size() ? "images" : "layer" + std::to_string(i));
  }
  const std::array latents{network.latent_dim};
  const std::array images{network.channels, network.resolution, network.resolution};
  add_value(graph.message(), onnx::Graph::input, "latents", latents);
  add_value(graph.message(), onnx::Graph::output, "images", images);
}

}  // namespace

std::string onnx_model(const ExportedNetwork& network) {
  std::string bytes;
  pbf_builder<onnx::Model> model(bytes);
  model.add_int64(onnx::Model::ir_version, onnx::ir_version);
  model.add_string(onnx::Model::producer_name, "slopegan");
  add_graph(model, network);
  pbf_builder<onnx::OperatorSet>(model, onnx::Model::opset_import)
      .add_int64(onnx::OperatorSet::version, onnx::opset_version);
  for (const auto& [key, value] : network.notes) {
    pbf_builder<onnx::StringEntry> entry(model, onnx::Model::metadata_props);
    entry.add_string(onnx::StringEntry::key, key);
    entry.add_string(onnx::StringEntry::value, value);
  }
  return bytes;
}

}  // namespace slopegan
