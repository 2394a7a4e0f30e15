#pragma once

/// The numbers of the fields of ONNX's messages that we use (onnx/onnx.proto), by message.
namespace slopegan::onnx {

namespace model {
constexpr int ir_version = 1, producer_name = 2, graph = 7, opset_import = 8, metadata_props = 14;
}
namespace operator_set {
constexpr int version = 2;
}
namespace string_entry {
constexpr int key = 1, value = 2;
}
namespace graph {
constexpr int node = 1, name = 2, initializer = 5, input = 11, output = 12;
}
namespace node {
constexpr int input = 1, output = 2, name = 3, op_type = 4, attribute = 5;
}
namespace attribute {
constexpr int name = 1, number = 2, integer = 3, integers = 8, type = 20;
constexpr unsigned float_type = 1, integers_type = 7;
}  // namespace attribute
namespace tensor {
constexpr int sizes = 1, data_type = 2, name = 8, raw_data = 9;
constexpr unsigned float_type = 1, int64_type = 7;
}  // namespace tensor
namespace value_info {
constexpr int name = 1, type = 2;
}
namespace type {
constexpr int tensor_type = 1;
}
namespace tensor_type {
constexpr int element_type = 1, shape = 2;
}
namespace shape {
constexpr int dimension = 1;
}
namespace dimension {
constexpr int value = 1, parameter = 2;
}

/// Version 17 of the operators needs version 8 of the format (onnx 1.12, 2022); every runtime since reads both.
constexpr unsigned ir_version = 8, opset_version = 17;

}  // namespace slopegan::onnx
