#pragma once

#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

namespace slopegan {

/// Tensors by name in a fixed order; the names are what checkpoints and exported files use.
using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

}  // namespace slopegan
