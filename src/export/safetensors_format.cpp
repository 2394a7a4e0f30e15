#include <stdexcept>

#include <nlohmann/json.hpp>

#include "export/format.h"
#include "run/safetensors.h"

/// A state dict of a torch.nn.Sequential, and what to build it of: the entry "layers" of the metadata is a JSON list of
/// [class of torch.nn, its arguments].
namespace slopegan {

namespace {

using nlohmann::ordered_json;

ordered_json torch_module(const ExportedLayer& layer) {
  const LayerVisitor module{
      [](const TransposedConvolutionLayer& l) {
        return ordered_json{"ConvTranspose2d",
                            {{"in_channels", l.weight.size(0)},
                             {"out_channels", l.weight.size(1)},
                             {"kernel_size", l.weight.size(2)},
                             {"stride", l.stride},
                             {"padding", l.padding},
                             {"bias", l.bias.defined()}}};
      },
      [](const BatchNormLayer& l) {
        return ordered_json{"BatchNorm2d", {{"num_features", l.weight.size(0)}, {"eps", l.epsilon}}};
      },
      [](const LeakyLayer& l) { return ordered_json{"LeakyReLU", {{"negative_slope", l.negative_slope}}}; },
      [](const LearnedSlopeLayer& l) { return ordered_json{"PReLU", {{"num_parameters", l.slope.numel()}}}; },
      [](const TanhLayer&) { return ordered_json{"Tanh", ordered_json::object()}; },
  };
  return std::visit(module, layer);
}

ExportedLayer parse_module(const ordered_json& module, std::size_t number, const NamedTensors& tensors) {
  const std::string kind = module.at(0);
  const ordered_json& options = module.at(1);
  const auto tensor = [&](const char* name) { return tensors.at(tensor_name(number, name)); };
  if (kind == "ConvTranspose2d") {
    return TransposedConvolutionLayer{.weight = tensor("weight"),
                                      .bias = options.at("bias").get<bool>() ? tensor("bias") : at::Tensor(),
                                      .stride = options.at("stride"),
                                      .padding = options.at("padding")};
  }
  if (kind == "BatchNorm2d") {
    return BatchNormLayer{.weight = tensor("weight"),
                          .bias = tensor("bias"),
                          .running_mean = tensor("running_mean"),
                          .running_var = tensor("running_var"),
                          .epsilon = options.at("eps")};
  }
  if (kind == "LeakyReLU") return LeakyLayer{options.at("negative_slope")};
  if (kind == "PReLU") return LearnedSlopeLayer{tensor("weight")};
  if (kind == "Tanh") return TanhLayer{};
  throw std::runtime_error("a layer of an unknown kind: " + kind);
}

void write_safetensors_file(const ExportedNetwork& network, const std::filesystem::path& file) {
  auto layers = ordered_json::array();
  for (const auto& layer : network.layers) layers.push_back(torch_module(layer));
  SafetensorsMetadata metadata = network.notes;
  metadata["format"] = "pt";  // what the tensors are for, in the words of PyTorch's own users of the format
  metadata["layers"] = layers.dump();
  write_safetensors(file, state_dict(network), metadata);
}

at::Tensor run_safetensors_file(const std::filesystem::path& file, const at::Tensor& latents) {
  const auto content = read_safetensors(file);
  ExportedNetwork network{.latent_dim = latents.size(1), .channels = 0, .resolution = 0, .layers = {}};
  for (const auto& module : ordered_json::parse(content.metadata.at("layers"))) {
    network.layers.push_back(parse_module(module, network.layers.size(), content.tensors));
  }
  return run_network(network, latents);
}

}  // namespace

const ExportFormat safetensors_format{"safetensors", write_safetensors_file, run_safetensors_file};

}  // namespace slopegan
