#include "training/weight_names.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <sstream>
#include <string_view>
#include <vector>

#include <ATen/ATen.h>

#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr std::array wrapper_parts = {"module", "_orig_mod", "state_dict", "model_state_dict", "params",
                                      "model",  "main",      "net",        "network",          "layers"};
constexpr std::array generator_parts = {"generator", "netG", "net_G", "gen", "G"};
constexpr std::array average_parts = {"ema", "generator_ema", "ema_generator", "netG_ema", "gen_ema", "G_ema", "g_ema"};
constexpr std::array discriminator_parts = {"discriminator", "netD", "net_D", "disc", "D"};

template <class Parts>
bool contains_part(const Parts& parts, std::string_view part) {
  return std::ranges::find(parts, part) != parts.end();
}

[[noreturn]] void refuse_name(const std::string& name) {
  throw CheckpointError("the tensor " + printable(name) +
                        " does not belong to the generator or discriminator of a DCGAN");
}

/// Returns "generator", "ema" or "discriminator", or an empty string if `part` does not name a network.
std::string network_of(std::string_view part) {
  if (contains_part(generator_parts, part)) return "generator";
  if (contains_part(average_parts, part)) return "ema";
  if (contains_part(discriminator_parts, part)) return "discriminator";
  return "";
}

struct TensorName {
  std::string network;  ///< "generator", "ema" or "discriminator"
  std::string rest;     ///< "block0.conv.weight", or "0.weight" for a sequence of layers
};

TensorName parse_name(const std::string& name) {
  TensorName parsed;
  std::istringstream parts(name);
  for (std::string part; std::getline(parts, part, '.');) {
    if (contains_part(wrapper_parts, part)) continue;
    const std::string network = parsed.rest.empty() && parsed.network.empty() ? network_of(part) : "";
    if (network.empty()) {
      parsed.rest += (parsed.rest.empty() ? "" : ".") + part;
    } else {
      parsed.network = network;
    }
  }
  if (parsed.network.empty()) parsed.network = "generator";
  return parsed;
}

/// The tensors of one layer, by their names ("weight", "running_mean").
using Layer = std::map<std::string, at::Tensor>;

/// The layers, by their index; std::nullopt if a name is not "<index>.<name>".
std::optional<std::map<int, Layer>> sequential_layers(const NamedTensors& network) {
  std::map<int, Layer> layers;
  for (const auto& [name, tensor] : network) {
    int index = -1;
    const char* last = name.data() + name.size();
    const auto [end, error] = std::from_chars(name.data(), last, index);
    if (error != std::errc() || index < 0 || end == last || *end != '.') return std::nullopt;
    layers[index].emplace(std::string(end + 1, last), tensor);
  }
  return layers;
}

bool is_convolution(const Layer& layer) {
  const auto weight = layer.find("weight");
  return weight != layer.end() && weight->second.dim() == 4;
}

/// The part of a block that the layer corresponds to: "conv", "norm", "modulation" or "activation".
const char* part_of_block(const Layer& layer) {
  if (is_convolution(layer)) return "conv";
  if (layer.contains("hidden.weight")) return "modulation";
  return layer.contains("running_mean") ? "norm" : "activation";
}

/// Groups a sequence of layers into blocks: each convolution starts a block, which also contains the layers up to the
/// next convolution.
NamedTensors blocks_of(const std::map<int, Layer>& layers) {
  NamedTensors blocks;
  int block = -1;
  for (const auto& [index, layer] : layers) {
    if (is_convolution(layer)) ++block;
    if (block < 0) refuse_name(std::to_string(index) + "." + layer.begin()->first);
    const std::string part = part_of_block(layer), prefix = "block" + std::to_string(block) + "." + part + ".";
    for (const auto& [name, tensor] : layer) {
      blocks.emplace(prefix + (part == "activation" && name == "weight" ? "slope" : name), tensor);
    }
    // This program's exports, and files written by PyTorch before 0.4.1, do not contain num_batches_tracked.
    if (part == "norm") blocks.emplace(prefix + "num_batches_tracked", at::zeros({}, at::kLong));
  }
  return blocks;
}

at::Tensor in_float32(const at::Tensor& tensor) { return tensor.is_floating_point() ? tensor.to(at::kFloat) : tensor; }

}  // namespace

NamedTensors with_checkpoint_names(const NamedTensors& tensors) {
  NamedTensors renamed;
  std::map<std::string, NamedTensors> networks;
  for (const auto& [name, tensor] : tensors) {
    if (name == "counters" || name.starts_with("optimizer.")) {
      renamed.emplace(name, tensor);
      continue;
    }
    const auto [network, rest] = parse_name(name);
    if (!networks[network].emplace(rest, in_float32(tensor)).second) {
      throw CheckpointError("several tensors map to the same name, including " + printable(name));
    }
  }
  for (auto& [network, own] : networks) {
    if (const auto layers = sequential_layers(own)) own = blocks_of(*layers);
    for (const auto& [name, tensor] : own) {
      if (!name.starts_with("block")) refuse_name(network + "." + name);
      renamed.emplace(network + "." + name, tensor);
    }
  }
  return renamed;
}

}  // namespace slopegan
