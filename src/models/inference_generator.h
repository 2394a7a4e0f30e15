#pragma once

#include <functional>
#include <vector>

#include <ATen/core/Tensor.h>

#include "models/generator.h"

namespace slopegan {

/// A generator as it is at one moment, for making many images with it: in evaluation mode, batch norm folded into the
/// convolutions, of which the weights are laid out once (FixedTransposedConvolution). What becomes of the generator
/// later does not show here.
class InferenceGenerator {
 public:
  /// Weights are laid out for latents of dtype `type` on the generator's device.
  InferenceGenerator(const Generator& generator, at::ScalarType type);

  /// latent [N, latent_dim] -> images [N, channels, resolution, resolution] in [−1, 1] on the generator's device,
  /// float32 (float64 where that is the type); GeneratorImpl::forward in evaluation mode up to rounding. The latents
  /// are cast.
  at::Tensor operator()(const at::Tensor& latent) const;

 private:
  using Stage = std::function<at::Tensor(const at::Tensor&)>;

  at::Device device_;
  at::ScalarType type_;
  std::vector<Stage> stages_;
};

}  // namespace slopegan
