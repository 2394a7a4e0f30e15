#pragma once

#include <protozero/types.hpp>

/// The field numbers of the messages in onnx/onnx.proto that are used here, with one enumeration per message.
namespace slopegan::onnx {

enum class Model : protozero::pbf_tag_type {
  ir_version = 1,
  producer_name = 2,
  graph = 7,
  opset_import = 8,
  metadata_props = 14
};
enum class OperatorSet : protozero::pbf_tag_type { version = 2 };
enum class StringEntry : protozero::pbf_tag_type { key = 1, value = 2 };
enum class Graph : protozero::pbf_tag_type { node = 1, name = 2, initializer = 5, input = 11, output = 12 };
enum class Node : protozero::pbf_tag_type { input = 1, output = 2, name = 3, op_type = 4, attribute = 5 };
enum class Attribute : protozero::pbf_tag_type { name = 1, f = 2, i = 3, s = 4, ints = 8, type = 20 };
enum class Tensor : protozero::pbf_tag_type { dims = 1, data_type = 2, name = 8, raw_data = 9 };
enum class ValueInfo : protozero::pbf_tag_type { name = 1, type = 2 };
enum class Type : protozero::pbf_tag_type { tensor_type = 1 };
enum class TensorType : protozero::pbf_tag_type { elem_type = 1, shape = 2 };
enum class Shape : protozero::pbf_tag_type { dim = 1 };
enum class Dimension : protozero::pbf_tag_type { dim_value = 1, dim_param = 2 };

/// Values of Attribute::type.
constexpr int attribute_float = 1, attribute_int = 2, attribute_string = 3, attribute_ints = 7;
/// Values of Tensor::data_type and TensorType::elem_type.
constexpr int tensor_float = 1, tensor_int64 = 7;

/// Operator set 17 requires version 8 of the format (onnx 1.12, 2022). All runtimes released since then support both.
constexpr int ir_version = 8, opset_version = 17;

}  // namespace slopegan::onnx
