#pragma once

#include <vector>

#include "evaluation/extractor.h"

namespace slopegan {

/// A convolutional network with fixed random weights, the default for gray images without labels: three layers, each a
/// 4×4 convolution with stride 2 and tanh. The features are the means of the last activations over each quarter of the
/// image. Random features distinguish textures and layouts, but not semantics (Naeem et al. 2020 use a random network
/// in place of Inception).
class RandomExtractor : public FeatureExtractor {
 public:
  explicit RandomExtractor(std::int64_t channels);

  bool has_classes() const override { return false; }

 private:
  RandomExtractor(std::int64_t channels, std::vector<at::Tensor> weights);
  Extraction extract_batch(const at::Tensor& images) override;
  bool move_network(at::Device device) override;

  std::vector<at::Tensor> weights_;
};

}  // namespace slopegan
