#pragma once

#include "models/block.h"

namespace slopegan {

/// The DCGAN generator (Radford et al. 2016): the first block maps the latent to 4×4, each further block doubles the
/// size, and the last one returns the image through tanh. There are width · 2^(S−1) channels at 4×4, where S =
/// log2(resolution) − 2, and each further block but the last halves their number. Convolutions have a bias if and only
/// if the network has no batch norm. With norm: self_modulated, the latent also modulates the batch norm of each block
/// (Chen et al. 2019).
class GeneratorImpl : public BlockChainImpl {
 public:
  /// channels: 1 or 3. seed: keys the draws of random slopes.
  GeneratorImpl(const GeneratorConfig& config, std::int64_t resolution, std::int64_t channels, std::uint64_t seed);

  /// latent [N, latent_dim] ~ N(0, 1) -> images [N, channels, resolution, resolution] in [−1, 1], float32 (float64 for
  /// float64 latents). The blocks compute in the dtype of the latent.
  at::Tensor forward(const at::Tensor& latent);

  std::vector<LayerSummary> summary() const override;
  std::int64_t latent_dim() const { return latent_dim_; }

 private:
  std::int64_t latent_dim_;
};
TORCH_MODULE(Generator);

/// The DCGAN discriminator (Radford et al. 2016): each block halves the size down to 4×4, and the last convolution
/// returns one logit per image. The first block has `width` channels, and each further block doubles their number. The
/// first block has no batch norm. Convolutions have a bias if and only if the network has no batch norm (norm: none or
/// spectral).
class DiscriminatorImpl : public BlockChainImpl {
 public:
  /// channels: 1 or 3. seed: keys the draws of random slopes.
  DiscriminatorImpl(const DiscriminatorConfig& config, std::int64_t resolution, std::int64_t channels,
                    std::uint64_t seed);

  /// images [N, channels, resolution, resolution] in [−1, 1] -> logits [N], float32 (float64 for float64 images),
  /// positive for "real". The blocks compute in the dtype of the images.
  at::Tensor forward(const at::Tensor& images);

  std::vector<LayerSummary> summary() const override;

 private:
  std::int64_t resolution_;
};
TORCH_MODULE(Discriminator);

}  // namespace slopegan
