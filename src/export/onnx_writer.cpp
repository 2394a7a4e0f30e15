#include <array>
#include <limits>
#include <protozero/pbf_builder.hpp>
#include <span>

#include <ATen/ATen.h>

#include "export/export.h"
#include "export/onnx_fields.h"
#include "export/onnx_model.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/text.h"

namespace slopegan {

namespace {

using protozero::pbf_builder;

/// One overload per alternative of OnnxAttribute.
struct AttributeWriter {
  void operator()(float value) {
    message.add_float(onnx::Attribute::f, value);
    message.add_enum(onnx::Attribute::type, onnx::attribute_float);
  }
  void operator()(std::int64_t value) {
    message.add_int64(onnx::Attribute::i, value);
    message.add_enum(onnx::Attribute::type, onnx::attribute_int);
  }
  void operator()(const std::string& value) {
    message.add_string(onnx::Attribute::s, value);
    message.add_enum(onnx::Attribute::type, onnx::attribute_string);
  }
  void operator()(const std::vector<std::int64_t>& values) {
    for (const auto value : values) message.add_int64(onnx::Attribute::ints, value);
    message.add_enum(onnx::Attribute::type, onnx::attribute_ints);
  }
  pbf_builder<onnx::Attribute>& message;
};

void add_attribute(pbf_builder<onnx::Node>& node, const std::string& name, const OnnxAttribute& value) {
  pbf_builder<onnx::Attribute> attribute(node, onnx::Node::attribute);
  attribute.add_string(onnx::Attribute::name, name);
  std::visit(AttributeWriter{attribute}, value);
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

/// Writes the nodes and tensors of a chain of operations. Each operation takes the output of the previous one.
class OnnxGraph {
 public:
  OnnxGraph(pbf_builder<onnx::Model>& model, std::string input)
      : graph_(model, onnx::Model::graph), value_(std::move(input)) {}

  /// Adds the operation of a layer, or an operation before the first layer. `tensors`: the names of its tensors.
  void add(const OnnxOperation& operation, const std::vector<std::string>& tensors, const std::string& output) {
    std::vector<std::string> inputs = {value_};
    inputs.insert(inputs.end(), tensors.begin(), tensors.end());
    add_node({operation, inputs, output});
    value_ = output;
  }

  void add_self_modulation(std::size_t layer, const std::string& output) {
    for (const auto& node : self_modulation_nodes(layer, value_, output)) add_node(node);
    value_ = output;
  }

  /// The tensor is float32 or int64.
  void add_tensor(const std::string& name, const at::Tensor& tensor) {
    pbf_builder<onnx::Tensor> message(graph_, onnx::Graph::initializer);
    for (const auto size : tensor.sizes()) message.add_int64(onnx::Tensor::dims, size);
    message.add_int32(onnx::Tensor::data_type,
                      tensor.scalar_type() == at::kLong ? onnx::tensor_int64 : onnx::tensor_float);
    message.add_string(onnx::Tensor::name, name);
    message.add_bytes(onnx::Tensor::raw_data, static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes());
  }

  pbf_builder<onnx::Graph>& message() { return graph_; }

 private:
  void add_node(const OnnxNode& node) {
    pbf_builder<onnx::Node> message(graph_, onnx::Graph::node);
    for (const auto& input : node.inputs) message.add_string(onnx::Node::input, input);
    message.add_string(onnx::Node::output, node.output);
    message.add_string(onnx::Node::name, node.output + "." + node.operation.type);
    message.add_string(onnx::Node::op_type, node.operation.type);
    for (const auto& [name, value] : node.operation.attributes) add_attribute(message, name, value);
  }

  pbf_builder<onnx::Graph> graph_;
  std::string value_;
};

void add_graph(pbf_builder<onnx::Model>& model, const ExportedNetwork& network) {
  OnnxGraph graph(model, "latents");
  graph.message().add_string(onnx::Graph::name, "generator");
  // Uses Reshape with a constant shape, because OpenCV's dnn module before version 5 cannot parse Unsqueeze of an
  // input.
  graph.add_tensor("shape_1x1", at::tensor({std::int64_t{-1}, network.latent_dim, std::int64_t{1}, std::int64_t{1}}));
  graph.add({"Reshape"}, {"shape_1x1"}, "latents_1x1");
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const auto operation = std::visit([](const auto& layer) { return layer.onnx(); }, network.layers[i]);
    std::vector<std::string> names;
    for (const auto& [name, tensor] : operation.tensors) {
      names.push_back(tensor_name(i, name));
      graph.add_tensor(names.back(), tensor);
    }
    const std::string output = i + 1 == network.layers.size() ? "images" : "layer" + std::to_string(i);
    if (operation.type == onnx_self_modulation) {
      graph.add_self_modulation(i, output);
    } else {
      graph.add(operation, names, output);
    }
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

// --- The file format

namespace {

/// The maximum size of a protobuf message, in bytes.
constexpr std::uint64_t largest_message = std::numeric_limits<std::int32_t>::max();

void write_onnx_file(const ExportedNetwork& network, const std::filesystem::path& file) {
  constexpr std::uint64_t room_for_the_rest = 1 << 20;
  std::uint64_t size = room_for_the_rest;
  for (const auto& [name, tensor] : state_dict(network)) size += tensor.nbytes();
  if (size > largest_message) {
    throw UsageError(
        format_text("an ONNX file can contain at most 2 GiB, but this generator needs {:.1f} GiB; export it as "
                    "torchscript or safetensors",
                    static_cast<double>(size) / (1 << 30)));
  }
  write_new_file(file, onnx_model(network));
}

at::Tensor run_onnx_file(const std::filesystem::path& file, const at::Tensor& latents) {
  return run_network(parse_onnx_model(read_file(file, largest_message)), latents);
}

}  // namespace

const ExportFormat onnx_format{"onnx", write_onnx_file, run_onnx_file};

}  // namespace slopegan
