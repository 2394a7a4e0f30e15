#pragma once

#include <map>
#include <string>

#include <ATen/core/Tensor.h>

namespace slopegan {

/// Tensors by their names, which are what checkpoints and exported files use (1 to 512 bytes of
/// printable UTF-8).
using NamedTensors = std::map<std::string, at::Tensor>;

}  // namespace slopegan
