#include "import/weight_names.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string_view>

#include <ATen/ATen.h>

#include "support/errors.h"
#include "support/posix_file.h"
#include "support/ranges.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr std::array wrapper_parts = {"module", "_orig_mod", "state_dict", "model_state_dict", "params",
                                      "model",  "main",      "net",        "network",          "layers"};
constexpr std::array generator_parts = {"generator", "netG", "net_G", "gen", "G"};
constexpr std::array average_parts = {"ema", "generator_ema", "ema_generator", "netG_ema", "gen_ema", "G_ema", "g_ema"};
constexpr std::array discriminator_parts = {"discriminator", "netD", "net_D", "disc", "D"};

[[noreturn]] void refuse_name(const std::string& name) {
  throw CheckpointError("the tensor " + printable(name) +
                        " does not belong to the generator or discriminator of a DCGAN");
}

/// Returns "generator", "ema" or "discriminator", or an empty string if `part` does not name a network.
std::string network_of(std::string_view part) {
  if (contains(generator_parts, part)) return "generator";
  if (contains(average_parts, part)) return "ema";
  if (contains(discriminator_parts, part)) return "discriminator";
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
    if (contains(wrapper_parts, part)) continue;
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

/// Whether a zip archive was written by torch.jit.save. Archives of torch.save contain no constants.pkl.
bool is_torchscript(std::ifstream& archive) {
  constexpr std::streamoff most = 1 << 16;  // the names of the files are listed at the end of the archive
  archive.seekg(0, std::ios::end);
  archive.seekg(-std::min<std::streamoff>(archive.tellg(), most), std::ios::end);
  const std::string list(std::istreambuf_iterator<char>(archive), {});
  return list.find("/constants.pkl") != std::string::npos;
}

at::Tensor in_float32(const at::Tensor& tensor) { return tensor.is_floating_point() ? tensor.to(at::kFloat) : tensor; }

}  // namespace

void refuse_other_formats(const std::filesystem::path& file) {
  std::array<char, 8> start{};
  std::ifstream stream(file, std::ios::binary);
  stream.read(start.data(), start.size());
  const std::string_view text(start.data(), start.size());
  // A safetensors file starts with the length of its header as a 64-bit integer, which is less than 2^24.
  const bool may_be_safetensors = text.substr(4) == std::string_view("\0\0\0\0", 4);
  const bool is_zip = text.starts_with("PK\x03\x04");
  // ONNX: a protobuf message that starts with an integer (ir_version), followed by a string or another message.
  const bool is_onnx = !may_be_safetensors && text[0] == '\x08' && (text[2] & 7) == 2;
  if (is_onnx || (is_zip && is_torchscript(stream))) {
    throw CheckpointError(
        format_text("{} is {} file, which cannot be imported; export the generator again with --format safetensors",
                    display(file), is_onnx ? "an ONNX" : "a TorchScript"));
  }
  if (is_zip || (text[0] == '\x80' && !may_be_safetensors)) {  // torch.save writes zip archives or, formerly, pickles
    throw CheckpointError(display(file) +
                          " is a PyTorch pickle file, which is not read because it can contain code; import it with "
                          "scripts/import_dcgan.py, or save its tensors as safetensors");
  }
}

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
