#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <torch/nn/modules/batchnorm.h>

#include "config/config.h"
#include "layers/activation.h"
#include "models/convolution.h"
#include "models/synchronised_batch_norm.h"

namespace slopegan {

/// One line of `train --dry-run`: what a block makes, and of how many parameters.
struct LayerSummary {
  std::string name;
  std::string kind;                        ///< "transposed convolution 4×4/2, batch norm, slope 0.2"
  std::vector<std::int64_t> output_shape;  ///< channels, height, width
  std::int64_t parameters = 0;
};

struct BlockOptions {
  ConvolutionOptions convolution;
  bool batch_norm = false;
  std::shared_ptr<ActivationImpl> activation = nullptr;  ///< the last block has none: it gives raw values
};

/// Convolution, batch norm (momentum 0.1, ε 1e-5), activation: the unit that both networks are made of. Submodules
/// `conv`, `norm`, `activation`.
class BlockImpl : public torch::nn::Module {
 public:
  explicit BlockImpl(const BlockOptions& options);
  at::Tensor forward(const at::Tensor& input);
  LayerSummary summary(const std::string& name, std::int64_t input_size) const;

  Convolution conv{nullptr};
  torch::nn::BatchNorm2d norm{nullptr};
  std::shared_ptr<ActivationImpl> activation;

  /// For diagnostics; empty in training. Is shown what goes into the activation and what comes out, [N, C, H, W] each,
  /// at every forward pass, and must not change them.
  std::function<void(const at::Tensor& pre_activation, const at::Tensor& output)> observer;

  /// Where several processes train together: batch norm in training takes the statistics of all their images. Empty
  /// otherwise.
  SumOverRanks sum_over_ranks;

 private:
  /// The slope where batch norm and activation are computed in one; `x` is what goes into them.
  std::optional<double> slope_behind_norm(const at::Tensor& x) const;
};
TORCH_MODULE(Block);

/// What both networks do beside their shapes: a chain of blocks, its clock, its initial weights.
class BlockChainImpl : public torch::nn::Module {
 public:
  /// Passes the number of images seen to every activation (schedules, random slopes).
  void set_images(std::int64_t images);

  /// Draws the initial weights from streams keyed by (seed, parameter name), so that they are the same normals for
  /// every slope. normal: N(0, std) (Radford et al. 2016); slope_matched: N(0, gain²/fan_in) with the gain of the
  /// activation in front of the layer (1 for the first). Batch norm: weight N(1, std), bias 0. Biases 0.
  void initialise(const InitConfig& init, std::uint64_t seed);

  /// A line a block, input side first.
  virtual std::vector<LayerSummary> summary() const = 0;

  /// The slope in force in each activation, input side first.
  std::vector<double> negative_slopes() const;

  std::int64_t parameter_count() const;

  /// Gives every block its sum_over_ranks, or takes it away.
  void synchronise(const SumOverRanks& sum);

  std::vector<Block> blocks;

 protected:
  explicit BlockChainImpl(std::string name);
  void add(const BlockOptions& options);
};

/// The activation of layer `layer` of the network `network`, as configured, for `channels` channels.
std::shared_ptr<ActivationImpl> make_activation(const ActivationConfig& config, std::size_t layer,
                                                std::int64_t channels, std::uint64_t seed, const std::string& network);

/// log2(resolution) − 2: the number of activations in either network. Throws c10::Error (ValueError) where the
/// resolution is no power of two, or below 16.
std::int64_t stage_count(std::int64_t resolution);

}  // namespace slopegan
