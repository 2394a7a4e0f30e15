#pragma once

#include <optional>
#include <vector>

#include "config/config.h"
#include "data/part.h"
#include "training/gan_state.h"

namespace slopegan {

class DataParallel;

/// Real images of a batch: [B, C, R, R], float32 in [−1, 1], any device.
struct RealImages {
  /// All of them.
  RealImages(at::Tensor all)
      : images(std::move(all)), part(Part::whole(images.size(0))) {}  // NOLINT(google-explicit-constructor)
  /// Those that this process has.
  RealImages(at::Tensor own, const Part& which) : images(std::move(own)), part(which) {}

  at::Tensor images;
  Part part;
};

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
/// real_batches: one to discriminator_steps of them.
/// parallel: the processes that take this step together, each with its part of every batch, of one image or more;
/// nothing where this one is alone. The losses, statistics and weights are those of the whole batches, in all of them.
/// Throws DivergedError naming the step and the tensor or layer where a loss, a gradient or a weight is NaN or
/// infinite; an optimiser's step that would have used it is not taken.
StepStats gan_step(GanState& state, const Config& config, const Compute& compute,
                   const std::vector<RealImages>& real_batches, DataParallel* parallel = nullptr);

/// [count, latent_dim] standard normals, a function of (seed, stream, index) alone.
at::Tensor draw_latents(std::uint64_t seed, std::string_view stream, std::int64_t index, std::int64_t count,
                        std::int64_t latent_dim);

}  // namespace slopegan
