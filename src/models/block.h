#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "layers/activation.h"
#include "layers/batch_norm.h"
#include "models/convolution.h"
#include "models/modulation.h"

namespace slopegan {

/// One line of `train --dry-run`: the output shape and the number of parameters of a block.
struct LayerSummary {
  std::string name;
  std::string kind;                        ///< "transposed conv 4x4/2, batch norm, slope 0.2"
  std::vector<std::int64_t> output_shape;  ///< channels, height, width
  std::int64_t parameters = 0;
};

struct BlockOptions {
  ConvolutionOptions convolution;
  bool batch_norm = false;
  /// If positive, batch norm is self-modulated: its scale and shift are computed from a latent of this size.
  std::int64_t modulating_latent_dim = 0;
  std::shared_ptr<ActivationImpl> activation = nullptr;  ///< nullptr for the last block, which returns raw values
};

/// The building block of both networks: a convolution, batch norm (momentum 0.1, ε 1e-5) and an activation. Its
/// submodules are `conv`, `norm`, `modulation` and `activation`. With a modulation, `norm` has no weight or bias.
class BlockImpl : public torch::nn::Module {
 public:
  explicit BlockImpl(const BlockOptions& options);

  /// Only the modulation uses `latent`, [N, latent_dim].
  at::Tensor forward(const at::Tensor& input, const at::Tensor& latent = {});
  LayerSummary summary(const std::string& name, std::int64_t input_size) const;

  Convolution conv{nullptr};
  BatchNormActivation norm{nullptr};  ///< also applies the activation, unless there is an observer
  LatentModulation modulation{nullptr};
  std::shared_ptr<ActivationImpl> activation;

  /// If set, a function that every forward pass calls with the input and the output of the activation, [N, C, H, W]
  /// each. It must not change these tensors. Measurements set it; it is empty during training.
  std::function<void(const at::Tensor& pre_activation, const at::Tensor& output)> observer;
};
TORCH_MODULE(Block);

/// A network that is a chain of blocks. It initialises all blocks, passes the number of images seen to them, and
/// reports properties of the whole network.
class BlockChainImpl : public torch::nn::Module {
 public:
  /// Passes the number of images seen to every activation (for schedules and random slopes).
  void set_images(std::int64_t images);

  /// Draws the initial weights from streams keyed by (seed, parameter name), so that all slopes start from the same
  /// random draws. normal: N(0, std²) (Radford et al. 2016); slope_matched: N(0, gain²/fan_in) with the gain of the
  /// activation before the layer (1 for the first layer). Batch norm: weight N(1, std²), bias 0. Biases are 0.
  /// Modulations: see LatentModulationImpl::initialise.
  void initialise(const InitConfig& init, std::uint64_t seed);

  /// One line per block, from input to output.
  virtual std::vector<LayerSummary> summary() const = 0;

  /// The current slope of each activation, from input to output.
  std::vector<double> negative_slopes() const;

  /// The mean of ActivationImpl::moving_slope over the activations; std::nullopt if no slope is scheduled or learned.
  std::optional<double> moving_slope() const;

  /// Whether all activations are repeatable (ActivationImpl::is_repeatable).
  bool is_repeatable() const;

  std::int64_t parameter_count() const;

  /// Makes every batch norm compute its statistics over the images of all ranks or, if `sum` is empty, over those of
  /// this process alone.
  void set_sum_over_ranks(const SumOverRanks& sum);

  std::vector<Block> blocks;

 protected:
  explicit BlockChainImpl(std::string name);
  void add(const BlockOptions& options);
  /// The summaries of all blocks for inputs of size input_size × input_size.
  std::vector<LayerSummary> summaries(std::int64_t input_size) const;

 private:
  std::vector<const ActivationImpl*> activations() const;
};

/// Builds the activation that is configured for layer `layer` (counted from 0) of `network` ("generator" or
/// "discriminator"). The layer has `channels` channels. `seed` keys the draws of random slopes.
std::shared_ptr<ActivationImpl> make_activation(const ActivationConfig& config, std::size_t layer,
                                                std::int64_t channels, std::uint64_t seed, const std::string& network);

/// activation_count(resolution), the number of activations in either network: log2(resolution) − 2. Throws c10::Error
/// (ValueError) if the resolution is below 16 or not a power of two.
std::int64_t stage_count(std::int64_t resolution);

}  // namespace slopegan
