#include <cstring>
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

/// Labels for a switch over a message's fields. A field with a different wire type is skipped like an unknown field.
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

void parse_attribute(pbf_message<onnx::Attribute> message, OnnxOperation& operation) {
  std::string name;
  std::vector<std::int64_t> integers;
  std::optional<OnnxAttribute> single;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case bytes(onnx::Attribute::name):
        name = message.get_view();
        break;
      case fixed32(onnx::Attribute::f):
        single = message.get_float();
        break;
      case varint(onnx::Attribute::i):
        single = message.get_int64();
        break;
      case bytes(onnx::Attribute::s):
        single = std::string(message.get_view());
        break;
      case varint(onnx::Attribute::ints):
        integers.push_back(message.get_int64());
        break;
      default:
        message.skip();
    }
  }
  operation.attributes.emplace_back(name, single.value_or(integers));
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
        node.operation.type = message.get_view();
        break;
      case bytes(onnx::Node::attribute):
        parse_attribute(message.get_message(), node.operation);
        break;
      default:
        message.skip();
    }
  }
  return node;
}

/// A float32 or int64 tensor of shape `shape` with a copy of the data.
at::Tensor tensor_of(const std::vector<std::int64_t>& shape, std::int64_t type, std::string_view data) {
  require_onnx(type == onnx::tensor_float || type == onnx::tensor_int64, "has a tensor of an unknown type");
  const std::uint64_t item = type == onnx::tensor_float ? sizeof(float) : sizeof(std::int64_t);
  std::uint64_t count = 1;
  for (const auto size : shape) {
    // Dividing first keeps the product from overflowing.
    require_onnx(size > 0 && static_cast<std::uint64_t>(size) <= data.size() / item / count,
                 "has a tensor with an invalid size or too little data");
    count *= static_cast<std::uint64_t>(size);
  }
  require_onnx(count * item == data.size(), "has a tensor whose data does not match its shape");
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

/// Looks up the tensors for all inputs of the node except the first one.
void find_tensors(OnnxNode& node, const NamedTensors& tensors) {
  for (std::size_t i = 1; i < node.inputs.size(); ++i) {
    const auto found = tensors.find(node.inputs[i]);
    require_onnx(found != tensors.end(), "has no tensor " + printable(node.inputs[i]));
    node.operation.tensors.emplace_back(*found);
  }
}

/// Returns the last submessage `field` of a message. Throws if it is missing or empty. Reads to the end, so that a
/// truncated message is detected.
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
  require_onnx(!found.empty(), std::string("has no ") + what);
  return found;
}

/// The size of a dimension, or std::nullopt for a dynamic one.
std::optional<std::int64_t> parse_dimension(pbf_message<onnx::Dimension> message) {
  require_onnx(message.next(), "has a dimension without a size");
  std::optional<std::int64_t> size;
  switch (message.tag_and_type()) {
    case varint(onnx::Dimension::dim_value):
      size = message.get_int64();
      break;
    case bytes(onnx::Dimension::dim_param):
      message.skip();
      break;
    default:
      throw std::runtime_error("the ONNX model has a dimension without a size");
  }
  require_onnx(!message.next(), "has a dimension with unexpected fields");
  return size;
}

/// The sizes of a value after its batch dimension.
std::vector<std::int64_t> value_sizes(pbf_message<onnx::ValueInfo> value) {
  const pbf_message<onnx::Type> type(submessage(value, onnx::ValueInfo::type, "value type"));
  const pbf_message<onnx::TensorType> tensor(submessage(type, onnx::Type::tensor_type, "tensor type"));
  pbf_message<onnx::Shape> shape(submessage(tensor, onnx::TensorType::shape, "shape"));
  std::vector<std::int64_t> sizes;
  for (bool batch = true; shape.next(); batch = false) {
    require_onnx(shape.tag_and_type() == bytes(onnx::Shape::dim), "has a shape with unexpected fields");
    const auto size = parse_dimension(shape.get_message());
    require_onnx(size.has_value() != batch, "must have a dynamic batch dimension and no other dynamic dimension");
    if (size) sizes.push_back(*size);
  }
  return sizes;
}

/// The parts of a graph; the nodes are in the order of the file.
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
        require_onnx(sizes.size() == 1, "has latents of an unsupported shape");
        parts.network.latent_dim = sizes[0];
        break;
      }
      case bytes(onnx::Graph::output): {
        const auto sizes = value_sizes(graph.get_message());
        require_onnx(sizes.size() == 3 && sizes[1] == sizes[2], "has images of an unsupported shape");
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

/// Returns nodes[next]. If a self-modulation begins there, returns all its nodes as one node. Advances `next` past the
/// nodes that were used.
OnnxNode next_operation(const std::vector<OnnxNode>& nodes, std::size_t& next, std::size_t layer,
                        const std::string& input) {
  const auto& type = nodes[next].operation.type;
  if (type != "Gemm") {
    require_onnx(type != onnx_self_modulation, std::string("uses the unsupported operator ") + onnx_self_modulation);
    return nodes[next++];
  }
  const auto first = next;
  next += self_modulation_nodes(layer, input, "").size();
  return self_modulation_of(std::span(nodes).subspan(first), layer, input);
}

}  // namespace

void require_onnx(bool condition, const std::string& reason) {
  if (!condition) throw std::runtime_error("the ONNX model " + reason);
}

/// The attribute `name` of type T.
template <typename T>
static const T& find_attribute(const OnnxOperation& operation, std::string_view name) {
  for (const auto& [own_name, value] : operation.attributes) {
    const auto* found = std::get_if<T>(&value);
    if (own_name == name && found != nullptr) return *found;
  }
  throw std::runtime_error("the ONNX model has no attribute " + std::string(name));
}

std::int64_t OnnxOperation::integer(std::string_view name) const {
  const auto& integers = find_attribute<std::vector<std::int64_t>>(*this, name);
  require_onnx(!integers.empty(), "has no attribute " + std::string(name));
  for (const auto value : integers) {
    require_onnx(value == integers.front(), "has an attribute " + std::string(name) + " whose values differ");
  }
  return integers.front();
}

double OnnxOperation::number(std::string_view name) const {
  return static_cast<double>(find_attribute<float>(*this, name));
}

ExportedNetwork parse_onnx_model(std::string_view bytes) try {
  const pbf_message<onnx::Model> model(bytes);
  auto [network, tensors, nodes] =
      parse_graph(pbf_message<onnx::Graph>(submessage(model, onnx::Model::graph, "graph")));
  require_onnx(!nodes.empty() && nodes.front().operation.type == "Reshape", "does not begin with Reshape");
  std::string value = "latents";
  for (std::size_t next = 0; next < nodes.size();) {
    const bool is_layer = next > 0;
    auto node = next_operation(nodes, next, network.layers.size(), value);
    require_onnx(!node.inputs.empty() && node.inputs.front() == value, "is not a chain");
    if (is_layer) {
      find_tensors(node, tensors);
      network.layers.push_back(layer_from_onnx(node.operation));
    }
    value = node.output;
  }
  require_onnx(value == "images", "does not end with the output \"images\"");
  return network;
} catch (const protozero::exception& error) {
  throw std::runtime_error(std::string("the ONNX model is damaged: ") + error.what());
}

}  // namespace slopegan
