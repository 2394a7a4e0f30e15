#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <ATen/core/Tensor.h>

#include "layers/batch_norm.h"
#include "models/named_tensors.h"
#include "sampling/load_generator.h"

/// A generator for inference as other programs know networks: a chain of layers with their tensors.
namespace slopegan {

/// weight [in, out, k, k]; bias [out], or undefined.
struct TransposedConvolutionLayer {
  at::Tensor weight, bias;
  std::int64_t stride = 1, padding = 0;
};

/// Batch norm with its running statistics; all tensors [C].
struct BatchNormLayer {
  at::Tensor weight, bias, running_mean, running_var;
  double epsilon = 1e-5;
};

/// One fixed slope; 0 is ReLU, 1 the identity.
struct LeakyLayer {
  double negative_slope = 0;
};

/// Learned slopes, one or one a channel.
struct LearnedSlopeLayer {
  at::Tensor slope;
};

struct TanhLayer {};

using ExportedLayer =
    std::variant<TransposedConvolutionLayer, BatchNormLayer, LeakyLayer, LearnedSlopeLayer, TanhLayer>;

/// Latents [N, latent_dim] as [N, latent_dim, 1, 1] -> layers -> images [N, channels, resolution, resolution] in
/// [−1, 1]. All tensors are float32, contiguous and on the CPU, and have no gradients.
struct ExportedNetwork {
  std::int64_t latent_dim = 0;
  std::int64_t channels = 0;
  std::int64_t resolution = 0;
  std::vector<ExportedLayer> layers;
  std::map<std::string, std::string> notes{};  ///< where it comes from, for people who look into the file
};

/// The generator in evaluation mode, with the slopes that are in force: of a schedule that of the checkpoint's moment,
/// of random slopes the one of evaluation, of bounded learned ones the bounded value.
ExportedNetwork exported_network(const LoadedGenerator& loaded);

/// The same function without batch norm: its factor and offset go into the convolution in front, computed in float64.
ExportedNetwork fold_batch_norm(const ExportedNetwork& network);

/// What the layers compute, with LibTorch's own operators: float32 latents [N, latent_dim] -> images. Throws c10::Error
/// where the tensors do not fit together.
at::Tensor run_network(const ExportedNetwork& network, const at::Tensor& latents);

/// The tensors of a layer under the names that torch.nn's module of the kind gives them.
std::vector<std::pair<std::string, at::Tensor>> layer_tensors(const ExportedLayer& layer);

/// "<number of the layer>.<name>", as in the state dict of a torch.nn.Sequential of the layers.
std::string tensor_name(std::size_t layer, const std::string& name);

/// All of them under these names.
NamedTensors state_dict(const ExportedNetwork& network);

/// A visitor of layers made of one lambda a kind.
template <class... Functions>
struct LayerVisitor : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
LayerVisitor(Functions...) -> LayerVisitor<Functions...>;

}  // namespace slopegan
