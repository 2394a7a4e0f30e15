#pragma once

#include <vector>

#include "config/config.h"
#include "data/part.h"
#include "models/compute.h"
#include "training/augmentation.h"
#include "training/gan_state.h"

namespace slopegan {

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

/// All that the host decides about one batch of a step before the device computes: the images, every random number
/// (keyed by (seed, images seen), drawn for the whole batch, of which a process takes its part), and what is done.
/// Tensors lie on the device; those that nothing asks for are undefined.
struct StepInputs {
  at::Tensor real;                        ///< [B, C, R, R], in the dtype of the computation
  at::Tensor latents;                     ///< [B, latent_dim]
  at::Tensor label_noise, interpolation;  ///< [B], float32
  AugmentationDraws of_real, of_fake, of_real_for_generator, of_fake_for_generator;
  Part part;
  double lazy = 0;                ///< r1_every where R1 or R2 is due, 0 elsewhere
  bool trains_generator = false;  ///< behind the discriminator's step: with the last batch of a step

  std::vector<at::Tensor*> tensors();
};

/// The inputs of the batch that `state` has come to; `index`: of the batch within the step.
StepInputs draw_step_inputs(const GanState& state, const Config& config, const Compute& compute,
                            const RealImages& batch, std::int64_t index, bool trains_generator);

}  // namespace slopegan
