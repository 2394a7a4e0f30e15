#include <algorithm>
#include <sstream>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include "export/export.h"

/// The TorchScript format: a module that consists of LibTorch's own operators. torch.jit.load loads it in Python and
/// C++ without slopegan. Its forward method is TorchScript source, which remains readable in the file.
namespace slopegan {

namespace {

/// The name of the module attribute for a tensor of a layer. Names in TorchScript cannot contain dots.
std::string attribute_name(std::size_t layer, std::string name) {
  std::ranges::replace(name, '.', '_');
  return "layer" + std::to_string(layer) + "_" + name;
}

std::string torchscript_source(const ExportedNetwork& network) {
  std::string source = "def forward(self, latents: Tensor) -> Tensor:\n";
  source += "  x = latents.reshape([-1, " + std::to_string(network.latent_dim) + ", 1, 1])\n";
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const TensorExpression tensor = [i](const char* name) { return "self." + attribute_name(i, name); };
    std::istringstream statements(
        std::visit([&](const auto& layer) { return layer.torchscript(tensor); }, network.layers[i]));
    for (std::string line; std::getline(statements, line);) source += "  " + line + "\n";
  }
  return source + "  return x\n";
}

/// Running statistics are buffers, as in torch.nn; all other tensors are parameters.
void register_tensors(torch::jit::Module& module, const ExportedNetwork& network) {
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const auto tensors = std::visit([](const auto& layer) { return layer.tensors(); }, network.layers[i]);
    for (const auto& [name, tensor] : tensors) {
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
  // The optimiser profiles the first run and then compiles, which is a waste of time for a single run.
  const torch::jit::GraphOptimizerEnabledGuard no_optimiser(false);
  auto module = torch::jit::load(file.string(), at::Device(at::kCPU));
  return module.forward({latents}).toTensor();
}

}  // namespace

const ExportFormat torchscript_format{"torchscript", write_torchscript_file, run_torchscript_file};

}  // namespace slopegan
