#pragma once

#include <vector>

#include "evaluation/extractor.h"

namespace slopegan {

/// A convolutional network with fixed random weights, for images without labels: layers of 4×4 convolutions with stride
/// 2 and tanh, features the means of the last activations over the quarters of the image. Random features tell textures
/// and layouts apart, though not what people see in them (a random net in place of Inception: Naeem et al. 2020).
class RandomExtractor : public FeatureExtractor {
 public:
  explicit RandomExtractor(std::int64_t channels);

  bool has_classes() const override { return false; }

 private:
  RandomExtractor(std::int64_t channels, std::vector<at::Tensor> weights);
  Extraction extract_batch(const at::Tensor& images) override;

  std::vector<at::Tensor> weights_;
};

}  // namespace slopegan
