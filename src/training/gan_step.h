#pragma once

#include <optional>
#include <vector>

#include "config/config.h"
#include "training/gan_state.h"

namespace slopegan {

/// What one step tells about itself; means over the batch.
struct StepStats {
  double discriminator_loss = 0;
  double generator_loss = 0;
  double d_real = 0;                       ///< mean σ(logit) of the real images
  double d_fake = 0;                       ///< mean σ(logit) of the generated images, in the discriminator's step
  double discriminator_gradient_norm = 0;  ///< 2-norm over all parameters
  double generator_gradient_norm = 0;
  /// Weighted sum of R1, R2 and the gradient penalty; nothing in a step without. No part of discriminator_loss.
  std::optional<double> gradient_penalty;
};

/// One alternation of DCGAN training (Radford et al. 2016): a discriminator step for each real batch, then one
/// generator step on the last generated batch. The random numbers are keyed by (seed, images seen). Moves `state` on by
/// the images of `real_batches` and updates the average.
///
/// real_batches: one to discriminator_steps tensors [B, C, R, R], float32 in [−1, 1], any device.
/// Throws DivergedError naming the step and the tensor or layer where a loss, a gradient or a weight is NaN or
/// infinite; an optimiser's step that would have used it is not taken.
StepStats gan_step(GanState& state, const Config& config, const Compute& compute,
                   const std::vector<at::Tensor>& real_batches);

/// [count, latent_dim] standard normals, a function of (seed, stream, index) alone.
at::Tensor draw_latents(std::uint64_t seed, std::string_view stream, std::int64_t index, std::int64_t count,
                        std::int64_t latent_dim);

}  // namespace slopegan
