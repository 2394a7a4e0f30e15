#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include "layers/strided_convolution.h"

namespace slopegan {

struct ConvolutionOptions {
  std::int64_t in_channels = 0;
  std::int64_t out_channels = 0;
  std::int64_t kernel = 4;
  std::int64_t stride = 2;
  std::int64_t padding = 1;
  bool transposed = false;
  bool bias = false;
  /// Divides the weight W by its largest singular value, which is estimated with one power iteration per forward pass
  /// in training (Miyato et al. 2018). The estimate is |W'u| with the updated u. Miyato et al. and PyTorch use |Wv|
  /// with the v from which u was updated. That estimate is half an iteration older and therefore never larger.
  bool spectral_norm = false;
};

/// A square 2-d convolution or transposed convolution that computes in the dtype of its input: master weights stay in
/// float32 (or float64) and are cast on use. It has the parameters `weight` ([out, in, k, k]; transposed: [in, out, k,
/// k]) and `bias`, and with spectral norm the buffer `u`, the estimate of the left singular vector. All are zero until
/// the model initialises them.
class ConvolutionImpl : public torch::nn::Module {
 public:
  explicit ConvolutionImpl(const ConvolutionOptions& options);

  /// [N, in, H, W] -> [N, out, H', W'].
  at::Tensor forward(const at::Tensor& input);

  /// The output height for the input height H: (H + 2p − k)/s + 1; transposed: (H − 1)s − 2p + k.
  std::int64_t output_size(std::int64_t input_size) const;

  /// The number of products that are summed for one output: in · k²; transposed with stride s > 1: in · (k/s)²;
  /// transposed with stride 1 (1×1 input): in.
  std::int64_t fan_in() const;

  const ConvolutionOptions& options() const { return options_; }
  at::Tensor weight, bias, u;

 private:
  at::Tensor normalised_weight();
  PreparedWeightPtr prepared_for(at::ScalarType type);
  at::Tensor strided(const at::Tensor& input);
  /// Whether the convolution is a matrix product: every output depends on the whole input, or every input affects the
  /// whole output.
  bool is_dense(const at::Tensor& input) const;
  at::Tensor dense(const at::Tensor& input);

  ConvolutionOptions options_;
  bool is_strided_;             // 4x4 with stride 2 and padding 1
  PreparedWeightPtr prepared_;  // the layouts of the current weight
  std::int64_t prepared_version_ = 0;
};
TORCH_MODULE(Convolution);

}  // namespace slopegan
