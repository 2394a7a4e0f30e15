#include <nlohmann/json.hpp>

#include "export/export.h"
#include "run/safetensors.h"

/// The safetensors format: the state dict of a torch.nn.Sequential. The entry "layers" in the metadata describes the
/// modules as a JSON list of [class, its arguments]. All classes are those of torch.nn, except SelfModulation, which
/// outputs/README.md defines.
namespace slopegan {

namespace {

using nlohmann::ordered_json;

void write_safetensors_file(const ExportedNetwork& network, const std::filesystem::path& file) {
  auto layers = ordered_json::array();
  for (const auto& layer : network.layers) {
    layers.push_back(std::visit([](const auto& l) { return l.torch_module(); }, layer));
  }
  SafetensorsMetadata metadata = network.notes;
  metadata["format"] = "pt";  // marks the tensors of PyTorch modules
  metadata["layers"] = layers.dump();
  write_safetensors(file, state_dict(network), metadata);
}

at::Tensor run_safetensors_file(const std::filesystem::path& file, const at::Tensor& latents) {
  const auto content = read_safetensors(file);
  ExportedNetwork network{.latent_dim = latents.size(1), .channels = 0, .resolution = 0, .layers = {}};
  for (const auto& module : ordered_json::parse(content.metadata.at("layers"))) {
    const auto index = network.layers.size();
    network.layers.push_back(layer_from_torch_module(
        module, [&](const char* name) { return content.tensors.at(tensor_name(index, name)); }));
  }
  return run_network(network, latents);
}

}  // namespace

const ExportFormat safetensors_format{"safetensors", write_safetensors_file, run_safetensors_file};

}  // namespace slopegan
