#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <ATen/core/Tensor.h>
#include <nlohmann/json_fwd.hpp>

#include "models/named_tensors.h"
#include "sampling/load_generator.h"

/// A generator for inference as a chain of layers with their tensors, which is how other programs represent networks.
namespace slopegan {

struct OnnxOperation;

/// Tensors with the names that they have in the corresponding torch.nn module.
using LayerTensors = std::vector<std::pair<std::string, at::Tensor>>;

/// Returns the tensor of a layer by its name in torch.nn. Throws std::exception if it does not exist.
using TensorLookup = std::function<at::Tensor(const char* name)>;

/// Returns the TorchScript expression for a tensor of a layer, given its name in torch.nn.
using TensorExpression = std::function<std::string(const char* name)>;

// --- The kinds of layers --------------------------------------------------------------------------------------------

// Each kind of layer defines everything that the formats need, in these members:
//
//   tensors            its tensors
//   run                computes the layer with LibTorch's own operators, from the output of the previous layer and, if
//                      it is declared with a second parameter, the latents [N, latent_dim]
//   onnx               its ONNX operator; from_onnx returns std::nullopt for other operators, and throws
//                      std::runtime_error for missing or inconsistent attributes and shapes
//   torch_module       [class of torch.nn or "SelfModulation", its arguments]; from_torch_module returns std::nullopt
//                      for other classes, and throws std::exception for missing arguments
//   torchscript        its TorchScript statements, one per line, which compute the new x from x and latents
//
// To add a kind, define these members and add it to ExportedLayer; the compiler reports missing members.

/// weight: [in, out, k, k]; bias: [out], or undefined.
struct TransposedConvolutionLayer {
  at::Tensor weight, bias;
  std::int64_t stride = 1, padding = 0;

  LayerTensors tensors() const;
  at::Tensor run(const at::Tensor& x) const;
  OnnxOperation onnx() const;
  static std::optional<TransposedConvolutionLayer> from_onnx(const OnnxOperation& operation);
  nlohmann::ordered_json torch_module() const;
  static std::optional<TransposedConvolutionLayer> from_torch_module(const nlohmann::ordered_json& module,
                                                                     const TensorLookup& tensor);
  std::string torchscript(const TensorExpression& tensor) const;
};

/// Batch norm with its running statistics; all tensors [C]. An undefined weight means 1, and an undefined bias means 0.
struct BatchNormLayer {
  at::Tensor weight, bias, running_mean, running_var;
  double epsilon = 1e-5;

  BatchNormLayer with_weight() const;  ///< the same layer with a defined weight and bias

  LayerTensors tensors() const;
  at::Tensor run(const at::Tensor& x) const;
  OnnxOperation onnx() const;
  static std::optional<BatchNormLayer> from_onnx(const OnnxOperation& operation);
  nlohmann::ordered_json torch_module() const;
  static std::optional<BatchNormLayer> from_torch_module(const nlohmann::ordered_json& module,
                                                         const TensorLookup& tensor);
  std::string torchscript(const TensorExpression& tensor) const;
};

/// x · scale + shift, where scale and shift, one per image and channel, are computed from the latents:
/// (scale − 1, shift) = output(relu(hidden(latents))). `hidden` and `output` are linear layers with weights of shape
/// [hidden_size, latent_dim] and [2C, hidden_size].
struct ModulationLayer {
  at::Tensor hidden_weight, hidden_bias, output_weight, output_bias;
  std::int64_t size = 0;  ///< the height and width of x, which only ONNX needs; 0 if unknown

  LayerTensors tensors() const;
  at::Tensor run(const at::Tensor& x, const at::Tensor& latents) const;
  OnnxOperation onnx() const;
  static std::optional<ModulationLayer> from_onnx(const OnnxOperation& operation);
  nlohmann::ordered_json torch_module() const;
  static std::optional<ModulationLayer> from_torch_module(const nlohmann::ordered_json& module,
                                                          const TensorLookup& tensor);
  std::string torchscript(const TensorExpression& tensor) const;
};

/// Leaky ReLU with one slope; 0 is ReLU, 1 is the identity.
struct LeakyLayer {
  double negative_slope = 0;

  LayerTensors tensors() const;
  at::Tensor run(const at::Tensor& x) const;
  OnnxOperation onnx() const;
  static std::optional<LeakyLayer> from_onnx(const OnnxOperation& operation);
  nlohmann::ordered_json torch_module() const;
  static std::optional<LeakyLayer> from_torch_module(const nlohmann::ordered_json& module, const TensorLookup& tensor);
  std::string torchscript(const TensorExpression& tensor) const;
};

/// Leaky ReLU with slopes of shape [1], or [C] for one slope per channel.
struct LearnedSlopeLayer {
  at::Tensor slope;

  LayerTensors tensors() const;
  at::Tensor run(const at::Tensor& x) const;
  OnnxOperation onnx() const;
  static std::optional<LearnedSlopeLayer> from_onnx(const OnnxOperation& operation);
  nlohmann::ordered_json torch_module() const;
  static std::optional<LearnedSlopeLayer> from_torch_module(const nlohmann::ordered_json& module,
                                                            const TensorLookup& tensor);
  std::string torchscript(const TensorExpression& tensor) const;
};

struct TanhLayer {
  LayerTensors tensors() const;
  at::Tensor run(const at::Tensor& x) const;
  OnnxOperation onnx() const;
  static std::optional<TanhLayer> from_onnx(const OnnxOperation& operation);
  nlohmann::ordered_json torch_module() const;
  static std::optional<TanhLayer> from_torch_module(const nlohmann::ordered_json& module, const TensorLookup& tensor);
  std::string torchscript(const TensorExpression& tensor) const;
};

using ExportedLayer =
    std::variant<TransposedConvolutionLayer, BatchNormLayer, ModulationLayer, LeakyLayer, LearnedSlopeLayer, TanhLayer>;

/// The layer for an ONNX operator. Throws std::runtime_error if no kind of layer represents it.
ExportedLayer layer_from_onnx(const OnnxOperation& operation);

/// The layer for a torch.nn module. Throws std::runtime_error if no kind of layer represents it.
ExportedLayer layer_from_torch_module(const nlohmann::ordered_json& module, const TensorLookup& tensor);

// --- The network ----------------------------------------------------------------------------------------------------

/// Latents [N, latent_dim] as [N, latent_dim, 1, 1] -> layers -> images [N, channels, resolution, resolution] in [−1,
/// 1]. All tensors are float32 and contiguous, are on the CPU, and do not require gradients.
struct ExportedNetwork {
  std::int64_t latent_dim = 0;
  std::int64_t channels = 0;
  std::int64_t resolution = 0;
  std::vector<ExportedLayer> layers;
  std::map<std::string, std::string> notes{};  ///< the origin of the network, for readers of the file
};

/// The generator in evaluation mode with its current slopes: for a schedule, the slope at the checkpoint's image count;
/// for random slopes, the evaluation slope; and for bounded learned slopes, the bounded value.
ExportedNetwork exported_network(const LoadedGenerator& loaded);

/// The same network without batch norm layers: their scale and shift are folded into the preceding convolutions, in
/// float64.
ExportedNetwork fold_batch_norm(const ExportedNetwork& network);

/// Computes the network with LibTorch's own operators: float32 latents [N, latent_dim] -> images. Throws c10::Error if
/// the shapes of the tensors do not match.
at::Tensor run_network(const ExportedNetwork& network, const at::Tensor& latents);

/// "<index of the layer>.<name>", as in the state dict of a torch.nn.Sequential that consists of the layers.
std::string tensor_name(std::size_t layer, const std::string& name);

/// All tensors of the network, keyed by tensor_name().
NamedTensors state_dict(const ExportedNetwork& network);

}  // namespace slopegan
