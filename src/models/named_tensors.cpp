#include "models/named_tensors.h"

#include <algorithm>
#include <sstream>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/nn/module.h>

#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

NamedTensors named_parameters(const torch::nn::Module& module) {
  NamedTensors tensors;
  for (const auto& parameter : module.named_parameters()) tensors.emplace(parameter.key(), parameter.value());
  return tensors;
}

NamedTensors named_tensors(const torch::nn::Module& module) {
  NamedTensors tensors = named_parameters(module);
  for (const auto& buffer : module.named_buffers()) tensors.emplace(buffer.key(), buffer.value());
  return tensors;
}

static std::string shape_text(const at::Tensor& tensor) {
  std::ostringstream text;
  text << tensor.sizes() << ' ' << tensor.scalar_type();
  return text.str();
}

void restore_tensors(const NamedTensors& live, const NamedTensors& saved) {
  std::vector<std::string> problems;
  for (const auto& [name, tensor] : live) {
    const auto found = saved.find(name);
    if (found == saved.end()) {
      problems.push_back(name + " is missing");
    } else if (found->second.sizes() != tensor.sizes() || found->second.scalar_type() != tensor.scalar_type()) {
      problems.push_back(name + " is " + shape_text(found->second) + ", not " + shape_text(tensor));
    }
  }
  for (const auto& [name, tensor] : saved) {
    if (!live.contains(name)) problems.push_back(printable(name) + " is unknown");
  }
  if (!problems.empty()) {
    const std::size_t count = problems.size();
    problems.resize(std::min<std::size_t>(count, 5));
    throw CheckpointError("the checkpoint belongs to a different architecture: " + join(problems, "; ") +
                          (count > 5 ? format_text(" (and {} more)", count - 5) : ""));
  }
  const at::NoGradGuard no_gradients;
  // copy_ keeps the strides of the live tensors.
  for (const auto& [name, tensor] : live) at::Tensor(tensor).copy_(saved.at(name));
}

NamedTensors with_prefix(const NamedTensors& tensors, const std::string& prefix) {
  NamedTensors found;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with(prefix)) found.emplace(name.substr(prefix.size()), tensor);
  }
  return found;
}

}  // namespace slopegan
