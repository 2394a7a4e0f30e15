#include <cstring>
#include <map>
#include <optional>
#include <protozero/pbf_message.hpp>
#include <stdexcept>

#include <ATen/ATen.h>

#include "export/onnx_fields.h"
#include "export/onnx_model.h"
#include "support/text.h"

namespace slopegan {

namespace {

using protozero::pbf_message;

/// Labels of a switch over a message's fields. A field of another wire type is skipped like an unknown field.
template <typename Field>
constexpr std::uint32_t varint(Field field) {
  return protozero::tag_and_type(field, protozero::pbf_wire_type::varint);
}
template <typename Field>
constexpr std::uint32_t fixed32(Field field) {
  return protozero::tag_and_type(field, protozero::pbf_wire_type::fixed32);
}
template <typename Field>
constexpr std::uint32_t bytes(Field field) {
  return protozero::tag_and_type(field, protozero::pbf_wire_type::length_delimited);
}

[[noreturn]] void refuse(const std::string& reason) { throw std::runtime_error("the ONNX model " + reason); }

void require(bool condition, const std::string& reason) {
  if (!condition) refuse(reason);
}

struct OnnxNode {
  std::string type, output;
  std::vector<std::string> inputs;
  std::map<std::string, std::vector<std::int64_t>> integers;
  std::map<std::string, float> numbers;

  /// The common value of the attribute's integers, one per direction.
  std::int64_t integer(const std::string& name) const {
    const auto found = integers.find(name);
    require(found != integers.end() && !found->second.empty(), "lacks the attribute " + name);
    for (const auto value : found->second) {
      require(value == found->second.front(), "has different " + name + " in the two directions");
    }
    return found->second.front();
  }
  double number(const std::string& name) const {
    const auto found = numbers.find(name);
    require(found != numbers.end(), "lacks the attribute " + name);
    return static_cast<double>(found->second);
  }
};

void parse_attribute(pbf_message<onnx::Attribute> message, OnnxNode& node) {
  std::string name;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case bytes(onnx::Attribute::name):
        name = message.get_view();
        break;
      case fixed32(onnx::Attribute::f):
        node.numbers[name] = message.get_float();
        break;
      case varint(onnx::Attribute::ints):
        node.integers[name].push_back(message.get_int64());
        break;
      default:
        message.skip();
    }
  }
}

OnnxNode parse_node(pbf_message<onnx::Node> message) {
  OnnxNode node;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case bytes(onnx::Node::input):
        node.inputs.emplace_back(message.get_view());
        break;
      case bytes(onnx::Node::output):
        node.output = message.get_view();
        break;
      case bytes(onnx::Node::op_type):
        node.type = message.get_view();
        break;
      case bytes(onnx::Node::attribute):
        parse_attribute(message.get_message(), node);
        break;
      default:
        message.skip();
    }
  }
  return node;
}

/// float32 or int64 in `shape`. The data are copied.
at::Tensor tensor_of(const std::vector<std::int64_t>& shape, std::int64_t type, std::string_view data) {
  require(type == onnx::tensor_float || type == onnx::tensor_int64, "has a tensor of an unknown type");
  const std::uint64_t item = type == onnx::tensor_float ? sizeof(float) : sizeof(std::int64_t);
  std::uint64_t count = 1;
  for (const auto size : shape) {
    // Dividing first keeps the product from overflowing.
    require(size > 0 && static_cast<std::uint64_t>(size) <= data.size() / item / count,
            "has a tensor without its data");
    count *= static_cast<std::uint64_t>(size);
  }
  require(count * item == data.size(), "has a tensor whose data do not fit its shape");
  auto tensor = at::empty(shape, at::TensorOptions(type == onnx::tensor_float ? at::kFloat : at::kLong));
  std::memcpy(tensor.mutable_data_ptr(), data.data(), data.size());
  return tensor;
}

std::pair<std::string, at::Tensor> parse_tensor(pbf_message<onnx::Tensor> message) {
  std::string name;
  std::vector<std::int64_t> shape;
  std::int64_t type = 0;
  std::string_view data;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case bytes(onnx::Tensor::name):
        name = message.get_view();
        break;
      case varint(onnx::Tensor::dims):
        shape.push_back(message.get_int64());
        break;
      case varint(onnx::Tensor::data_type):
        type = message.get_int64();
        break;
      case bytes(onnx::Tensor::raw_data):
        data = message.get_view();
        break;
      default:
        message.skip();
    }
  }
  return {name, tensor_of(shape, type, data)};
}

/// The tensors among the inputs of a node, by position; undefined if the node has fewer inputs.
class NodeTensors {
 public:
  NodeTensors(const OnnxNode& node, const NamedTensors& tensors) : node_(node), tensors_(tensors) {}
  at::Tensor operator()(std::size_t input) const {
    if (input >= node_.inputs.size()) return {};
    const auto found = tensors_.find(node_.inputs[input]);
    require(found != tensors_.end(), "lacks the tensor " + printable(node_.inputs[input]));
    return found->second;
  }

 private:
  const OnnxNode& node_;
  const NamedTensors& tensors_;
};

ExportedLayer layer_of(const OnnxNode& node, const NamedTensors& tensors) {
  const NodeTensors tensor(node, tensors);
  if (node.type == "ConvTranspose") {
    const auto weight = tensor(1);
    require(weight.defined() && weight.dim() == 4 && node.integer("kernel_shape") == weight.size(2),
            "has a convolution whose weight is not of its kernel_shape");
    return TransposedConvolutionLayer{
        .weight = weight, .bias = tensor(2), .stride = node.integer("strides"), .padding = node.integer("pads")};
  }
  if (node.type == "BatchNormalization") {
    return BatchNormLayer{.weight = tensor(1),
                          .bias = tensor(2),
                          .running_mean = tensor(3),
                          .running_var = tensor(4),
                          .epsilon = node.number("epsilon")};
  }
  if (node.type == "Relu") return LeakyLayer{0};
  if (node.type == "LeakyRelu") return LeakyLayer{node.number("alpha")};
  if (node.type == "PRelu") {
    const auto slope = tensor(1);
    require(slope.defined() && slope.dim() == 3 && slope.size(0) == slope.numel(), "has slopes of no such shape");
    return LearnedSlopeLayer{slope.flatten()};
  }
  if (node.type == "Tanh") return TanhLayer{};
  refuse("has the operator " + printable(node.type));
}

/// The last non-empty submessage `field` of a message. Reads to the end, so that a truncated message is detected.
template <typename Field>
protozero::data_view submessage(pbf_message<Field> message, Field field, const char* what) {
  protozero::data_view found;
  while (message.next()) {
    if (message.tag_and_type() == bytes(field)) {
      found = message.get_view();
    } else {
      message.skip();
    }
  }
  require(!found.empty(), std::string("has no ") + what);
  return found;
}

/// The size of a dimension, or std::nullopt for a dynamic one.
std::optional<std::int64_t> parse_dimension(pbf_message<onnx::Dimension> message) {
  require(message.next(), "has a dimension without a size");
  std::optional<std::int64_t> size;
  switch (message.tag_and_type()) {
    case varint(onnx::Dimension::dim_value):
      size = message.get_int64();
      break;
    case bytes(onnx::Dimension::dim_param):
      message.skip();
      break;
    default:
      refuse("has a dimension without a size");
  }
  require(!message.next(), "has a dimension without a size");
  return size;
}

/// The sizes of a value after its batch dimension.
std::vector<std::int64_t> value_sizes(pbf_message<onnx::ValueInfo> value) {
  const pbf_message<onnx::Type> type(submessage(value, onnx::ValueInfo::type, "type of a value"));
  const pbf_message<onnx::TensorType> tensor(submessage(type, onnx::Type::tensor_type, "tensor type"));
  pbf_message<onnx::Shape> shape(submessage(tensor, onnx::TensorType::shape, "shape"));
  std::vector<std::int64_t> sizes;
  for (bool batch = true; shape.next(); batch = false) {
    require(shape.tag_and_type() == bytes(onnx::Shape::dim), "has a dimension without a size");
    const auto size = parse_dimension(shape.get_message());
    require(size.has_value() != batch, "has no dynamic batch");
    if (size) sizes.push_back(*size);
  }
  return sizes;
}

/// The parts of a graph in the order of the file.
struct OnnxGraphParts {
  ExportedNetwork network{.latent_dim = 0, .channels = 0, .resolution = 0, .layers = {}};
  NamedTensors tensors;
  std::vector<OnnxNode> nodes;
};

OnnxGraphParts parse_graph(pbf_message<onnx::Graph> graph) {
  OnnxGraphParts parts;
  while (graph.next()) {
    switch (graph.tag_and_type()) {
      case bytes(onnx::Graph::initializer):
        parts.tensors.insert(parse_tensor(graph.get_message()));
        break;
      case bytes(onnx::Graph::node):
        parts.nodes.push_back(parse_node(graph.get_message()));
        break;
      case bytes(onnx::Graph::input): {
        const auto sizes = value_sizes(graph.get_message());
        require(sizes.size() == 1, "has latents of another shape");
        parts.network.latent_dim = sizes[0];
        break;
      }
      case bytes(onnx::Graph::output): {
        const auto sizes = value_sizes(graph.get_message());
        require(sizes.size() == 3 && sizes[1] == sizes[2], "has images of another shape");
        parts.network.channels = sizes[0];
        parts.network.resolution = sizes[1];
        break;
      }
      default:
        graph.skip();
    }
  }
  return parts;
}

}  // namespace

ExportedNetwork parse_onnx_model(std::string_view bytes) try {
  const pbf_message<onnx::Model> model(bytes);
  auto [network, tensors, nodes] =
      parse_graph(pbf_message<onnx::Graph>(submessage(model, onnx::Model::graph, "graph")));
  require(!nodes.empty() && nodes.front().type == "Unsqueeze", "does not begin with Unsqueeze");
  std::string value = "latents";
  for (const auto& node : nodes) {
    require(!node.inputs.empty() && node.inputs.front() == value, "is no chain");
    if (&node != &nodes.front()) network.layers.push_back(layer_of(node, tensors));
    value = node.output;
  }
  require(value == "images", "does not end in images");
  return network;
} catch (const protozero::exception& error) {
  refuse(std::string("is damaged: ") + error.what());
}

}  // namespace slopegan
