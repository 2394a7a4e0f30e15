#pragma once

#include <map>
#include <string>

#include <ATen/core/Tensor.h>

namespace torch::nn {
class Module;
}

namespace slopegan {

/// Tensors by name, as in checkpoints and exported files. A name has 1 to 512 bytes of printable UTF-8.
using NamedTensors = std::map<std::string, at::Tensor>;

NamedTensors named_parameters(const torch::nn::Module& module);

/// The parameters and buffers of a module.
NamedTensors named_tensors(const torch::nn::Module& module);

/// Copies `saved` into the tensors `live`. Throws CheckpointError, with a list of the tensors that are missing or
/// unknown or have a different shape or dtype.
void restore_tensors(const NamedTensors& live, const NamedTensors& saved);

/// The tensors whose names start with `prefix`, with the prefix removed.
NamedTensors with_prefix(const NamedTensors& tensors, const std::string& prefix);

}  // namespace slopegan
