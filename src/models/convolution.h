#pragma once

#include <cstdint>
#include <string>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include "layers/prepared_weight.h"

namespace slopegan {

struct ConvolutionOptions {
  std::int64_t in_channels = 0;
  std::int64_t out_channels = 0;
  std::int64_t kernel = 4;
  std::int64_t stride = 2;
  std::int64_t padding = 1;
  bool transposed = false;
  bool bias = false;
  /// Divides the weight by its largest singular value, estimated with one power iteration a training forward pass
  /// (Miyato et al. 2018).
  bool spectral_norm = false;
};

/// A square 2-d convolution or transposed convolution that computes in the dtype of its input: master weights stay in
/// float32 (or float64) and are cast as they are used. Parameters `weight` ([out, in, k, k]; transposed: [in, out, k,
/// k]) and `bias`; buffer `u`, the left singular vector's estimate, with spectral norm. Weights are uninitialised until
/// the model fills them.
class ConvolutionImpl : public torch::nn::Module {
 public:
  explicit ConvolutionImpl(const ConvolutionOptions& options);

  /// [N, in, H, W] -> [N, out, H', W'].
  at::Tensor forward(const at::Tensor& input);

  /// H' for H: (H + 2p − k)/s + 1, transposed (H − 1)s − 2p + k.
  std::int64_t output_size(std::int64_t input_size) const;

  /// How many products an output sums up: in · k², or in · (k/s)² where transposed with stride s.
  std::int64_t fan_in() const;

  const ConvolutionOptions& options() const { return options_; }
  at::Tensor weight, bias, u;

 private:
  at::Tensor normalised_weight();
  PreparedWeightPtr prepared_for(at::ScalarType type);
  at::Tensor strided(const at::Tensor& input);
  /// Whether each output sums up all of the input, or each input reaches all of the output: a product of matrices.
  bool is_dense(const at::Tensor& input) const;
  at::Tensor dense(const at::Tensor& input);

  ConvolutionOptions options_;
  bool is_strided_;             // 4x4 with stride 2 and padding 1
  PreparedWeightPtr prepared_;  // the weight as the products want it
  std::int64_t prepared_version_ = 0;
};
TORCH_MODULE(Convolution);

}  // namespace slopegan
