#pragma once

#include <cstdint>
#include <string>

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>

#include "layers/batch_norm.h"

namespace slopegan {

/// The network that computes the scale and shift of self-modulated batch norm from the latent (Chen et al. 2019):
/// (scale − 1, shift) = W₂ relu(W₁ z + b₁) + b₂. Its submodules are `hidden` (W₁, b₁) and `output` (W₂, b₂).
class LatentModulationImpl : public torch::nn::Module {
 public:
  static constexpr std::int64_t hidden_size = 32;

  LatentModulationImpl(std::int64_t latent_dim, std::int64_t channels);

  /// latent: [N, latent_dim], of any floating-point dtype. Computes in the dtype of the weights.
  Modulation forward(const at::Tensor& latent);

  /// Draws the weights: W₁ from N(0, 1/latent_dim), W₂ from N(0, std²). Biases are 0. `stream` is the prefix of the
  /// names of the random streams.
  void initialise(double std, std::uint64_t seed, const std::string& stream);

  torch::nn::Linear hidden{nullptr}, output{nullptr};
};
TORCH_MODULE(LatentModulation);

}  // namespace slopegan
