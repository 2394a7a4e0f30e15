#pragma once

#include <cstdint>
#include <vector>

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/linear.h>

#include "models/convolution.h"
#include "models/named_tensors.h"

namespace slopegan {

/// A small image classifier whose last hidden layer is the feature space for metrics: 3×3 convolutions with batch norm,
/// tanh and 2×2 max pooling down to 4×4, then `feature_count` tanh features, then one logit per class. All activations
/// are tanh, so that metrics do not favour any negative slope.
class ClassifierImpl : public torch::nn::Module {
 public:
  static constexpr std::int64_t feature_count = 64;

  /// resolution: a power of two, at least 16; classes: at least 2. Initial weights: N(0, 1/fan_in), keyed by `seed`.
  ClassifierImpl(std::int64_t resolution, std::int64_t channels, std::int64_t classes, std::uint64_t seed);

  struct Output {
    at::Tensor features;  ///< [N, feature_count] in (−1, 1)
    at::Tensor logits;    ///< [N, classes]
  };

  /// images: float32 [N, channels, resolution, resolution] in [−1, 1].
  Output forward(const at::Tensor& images);

 private:
  void initialise(std::uint64_t seed);
  at::Tensor normalised_convolution(std::size_t layer, const at::Tensor& input);

  std::vector<Convolution> convolutions_;
  std::vector<torch::nn::BatchNorm2d> norms_;
  torch::nn::Linear features_{nullptr}, logits_{nullptr};
};
TORCH_MODULE(Classifier);

}  // namespace slopegan
