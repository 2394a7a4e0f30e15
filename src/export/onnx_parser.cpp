#include <cstring>
#include <map>
#include <stdexcept>

#include <ATen/ATen.h>

#include "export/onnx_fields.h"
#include "export/onnx_model.h"
#include "support/protobuf.h"
#include "support/text.h"

namespace slopegan {

namespace {

[[noreturn]] void refuse(const std::string& reason) { throw std::runtime_error("the ONNX model " + reason); }

void require(bool condition, const std::string& reason) {
  if (!condition) refuse(reason);
}

struct OnnxNode {
  std::string type, output;
  std::vector<std::string> inputs;
  std::map<std::string, std::vector<std::int64_t>> integers;
  std::map<std::string, float> numbers;

  /// The value that all of the integers have; they are one for each direction.
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

void parse_attribute(std::string_view message, OnnxNode& node) {
  std::string name;
  for (const auto& field : protobuf_fields(message)) {
    if (field.number == onnx::attribute::name) name = field.bytes;
    if (field.number == onnx::attribute::number) node.numbers[name] = field.as_float();
    if (field.number == onnx::attribute::integers) {
      node.integers[name].push_back(static_cast<std::int64_t>(field.integer));
    }
  }
}

OnnxNode parse_node(std::string_view message) {
  OnnxNode node;
  for (const auto& field : protobuf_fields(message)) {
    if (field.number == onnx::node::input) node.inputs.emplace_back(field.bytes);
    if (field.number == onnx::node::output) node.output = field.bytes;
    if (field.number == onnx::node::op_type) node.type = field.bytes;
    if (field.number == onnx::node::attribute) parse_attribute(field.bytes, node);
  }
  return node;
}

std::pair<std::string, at::Tensor> parse_tensor(std::string_view message) {
  std::string name;
  std::vector<std::int64_t> sizes;
  std::uint64_t type = 0, count = 1;
  std::string_view data;
  for (const auto& field : protobuf_fields(message)) {
    if (field.number == onnx::tensor::name) name = field.bytes;
    if (field.number == onnx::tensor::sizes) sizes.push_back(static_cast<std::int64_t>(field.integer));
    if (field.number == onnx::tensor::data_type) type = field.integer;
    if (field.number == onnx::tensor::raw_data) data = field.bytes;
  }
  require(type == onnx::tensor::float_type || type == onnx::tensor::int64_type, "has a tensor of an unknown type");
  const std::uint64_t item = type == onnx::tensor::float_type ? sizeof(float) : sizeof(std::int64_t);
  for (const auto size : sizes) {
    // No product of sizes that fits the data overflows.
    require(size > 0 && static_cast<std::uint64_t>(size) <= data.size() / item / count,
            "has a tensor without its data");
    count *= static_cast<std::uint64_t>(size);
  }
  require(count * item == data.size(), "has a tensor whose data do not fit its shape");
  auto tensor = at::empty(sizes, at::TensorOptions(type == onnx::tensor::float_type ? at::kFloat : at::kLong));
  std::memcpy(tensor.mutable_data_ptr(), data.data(), data.size());
  return {name, tensor};
}

/// The tensors of `node` by their place among its inputs; undefined where it has fewer.
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

std::string_view only_field(std::string_view message, int number, const char* what) {
  std::string_view found;
  for (const auto& field : protobuf_fields(message)) {
    if (field.number == number) found = field.bytes;
  }
  require(!found.empty(), std::string("has no ") + what);
  return found;
}

/// The sizes of a value behind its batch.
std::vector<std::int64_t> value_sizes(std::string_view value) {
  const auto type = only_field(value, onnx::value_info::type, "type of a value");
  const auto tensor = only_field(type, onnx::type::tensor_type, "tensor type");
  std::vector<std::int64_t> sizes;
  bool batch = true;
  for (const auto& field : protobuf_fields(only_field(tensor, onnx::tensor_type::shape, "shape"))) {
    const auto dimension = protobuf_fields(field.bytes);
    require(dimension.size() == 1, "has a dimension without a size");
    require((dimension[0].number == onnx::dimension::parameter) == batch, "has no dynamic batch");
    if (!batch) sizes.push_back(static_cast<std::int64_t>(dimension[0].integer));
    batch = false;
  }
  return sizes;
}

}  // namespace

ExportedNetwork parse_onnx_model(std::string_view bytes) {
  ExportedNetwork network{.latent_dim = 0, .channels = 0, .resolution = 0, .layers = {}};
  NamedTensors tensors;
  std::vector<OnnxNode> nodes;
  for (const auto& field : protobuf_fields(only_field(bytes, onnx::model::graph, "graph"))) {
    if (field.number == onnx::graph::initializer) tensors.insert(parse_tensor(field.bytes));
    if (field.number == onnx::graph::node) nodes.push_back(parse_node(field.bytes));
    if (field.number == onnx::graph::input) {
      const auto sizes = value_sizes(field.bytes);
      require(sizes.size() == 1, "has latents of another shape");
      network.latent_dim = sizes[0];
    }
    if (field.number == onnx::graph::output) {
      const auto sizes = value_sizes(field.bytes);
      require(sizes.size() == 3 && sizes[1] == sizes[2], "has images of another shape");
      network.channels = sizes[0];
      network.resolution = sizes[1];
    }
  }
  require(!nodes.empty() && nodes.front().type == "Unsqueeze", "does not begin with Unsqueeze");
  std::string value = "latents";
  for (const auto& node : nodes) {
    require(!node.inputs.empty() && node.inputs.front() == value, "is no chain");
    if (&node != &nodes.front()) network.layers.push_back(layer_of(node, tensors));
    value = node.output;
  }
  require(value == "images", "does not end in images");
  return network;
}

}  // namespace slopegan
