#pragma once

#include <functional>
#include <vector>

#include <ATen/core/Tensor.h>

#include "models/dcgan.h"

namespace slopegan {

/// A snapshot of a generator in evaluation mode, for generating many images: batch norm is folded into the
/// convolutions, whose weights are prepared once, on the CPU with FixedTransposedConvolution; self-modulation remains a
/// scale and shift after the convolution. Later changes to the generator have no effect on the snapshot.
class InferenceGenerator {
 public:
  /// `type`: the dtype to compute in, float32, float64 or bfloat16. Weights stay on the generator's device.
  InferenceGenerator(const Generator& generator, at::ScalarType type);

  /// latent [N, latent_dim], of any floating-point dtype -> images [N, channels, resolution, resolution] in [−1, 1] on
  /// the generator's device, float32 (float64 if `type` is float64). The images equal those of GeneratorImpl::forward
  /// in evaluation mode up to rounding.
  at::Tensor operator()(const at::Tensor& latent) const;

 private:
  using Stage = std::function<at::Tensor(const at::Tensor& x, const at::Tensor& latent)>;

  at::Device device_;
  at::ScalarType type_;
  std::vector<Stage> stages_;
};

}  // namespace slopegan
