#include <sstream>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include "export/format.h"
#include "support/text.h"

/// A module of LibTorch's own operators, which torch.jit.load opens in Python and C++ without anything of ours. Its
/// forward is given as TorchScript source, which the file keeps readable.
namespace slopegan {

namespace {

/// As an attribute of the module; a name in TorchScript's source has no dot.
std::string attribute_name(std::size_t layer, const std::string& name) {
  return "layer" + std::to_string(layer) + "_" + name;
}

/// Behind "x = ".
std::string torchscript_call(const ExportedLayer& layer, std::size_t number) {
  const auto tensor = [&](const char* name) { return "self." + attribute_name(number, name); };
  const LayerVisitor call{
      [&](const TransposedConvolutionLayer& l) {
        const auto stride = std::to_string(l.stride), padding = std::to_string(l.padding);
        return "torch.conv_transpose2d(x, " + tensor("weight") + ", " + (l.bias.defined() ? tensor("bias") : "None") +
               ", [" + stride + ", " + stride + "], [" + padding + ", " + padding + "])";
      },
      [&](const BatchNormLayer& l) {
        return "torch.batch_norm(x, " + tensor("weight") + ", " + tensor("bias") + ", " + tensor("running_mean") +
               ", " + tensor("running_var") + ", False, 0.0, " + shortest(l.epsilon) + ", True)";
      },
      [&](const LeakyLayer& l) { return "torch.leaky_relu(x, " + format_text("{:.17e}", l.negative_slope) + ")"; },
      [&](const LearnedSlopeLayer&) { return "torch.prelu(x, " + tensor("weight") + ")"; },
      [&](const TanhLayer&) { return std::string("torch.tanh(x)"); },
  };
  return std::visit(call, layer);
}

std::string torchscript_source(const ExportedNetwork& network) {
  std::string source = "def forward(self, latents: Tensor) -> Tensor:\n";
  source += "  x = latents.reshape([-1, " + std::to_string(network.latent_dim) + ", 1, 1])\n";
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    source += "  x = " + torchscript_call(network.layers[i], i) + "\n";
  }
  return source + "  return x\n";
}

/// Running statistics are buffers, as in torch.nn; the rest are parameters, which move to a device together.
void register_tensors(torch::jit::Module& module, const ExportedNetwork& network) {
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    for (const auto& [name, tensor] : layer_tensors(network.layers[i])) {
      module.register_parameter(attribute_name(i, name), tensor, /*is_buffer=*/name.starts_with("running_"));
    }
  }
}

void write_torchscript_file(const ExportedNetwork& network, const std::filesystem::path& file) {
  torch::jit::Module module("Generator");
  register_tensors(module, network);
  module.define(torchscript_source(network));
  module.eval();
  torch::jit::ExtraFilesMap notes(network.notes.begin(), network.notes.end());
  std::ostringstream bytes;
  module.save(bytes, notes);
  write_new_file(file, bytes.view());
}

at::Tensor run_torchscript_file(const std::filesystem::path& file, const at::Tensor& latents) {
  const at::NoGradGuard no_gradients;
  // The optimiser, which first watches a run and then compiles, would only take time.
  const torch::jit::GraphOptimizerEnabledGuard as_it_stands(false);
  auto module = torch::jit::load(file.string(), at::Device(at::kCPU));
  return module.forward({latents}).toTensor();
}

}  // namespace

const ExportFormat torchscript_format{"torchscript", write_torchscript_file, run_torchscript_file};

}  // namespace slopegan
