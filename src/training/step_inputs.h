#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "config/config.h"
#include "data/batch_stream.h"
#include "data/part.h"
#include "models/compute.h"
#include "training/augmentation.h"
#include "training/gan_state.h"

namespace slopegan {

/// The real images of a batch: [B, C, R, R], float32 in [−1, 1], on any device.
struct RealImages {
  /// A whole batch.
  RealImages(at::Tensor all)
      : images(std::move(all)), part(Part::whole(images.size(0))) {}  // NOLINT(google-explicit-constructor)
  /// This process's part of a batch.
  RealImages(at::Tensor own, const Part& which) : images(std::move(own)), part(which) {}

  at::Tensor images;
  Part part;
};

/// Reads the real images for the steps of a run, starting after `images_seen` images. If there are several ranks, reads
/// only the parts of the batches that belong to rank `rank`.
class RealBatches {
 public:
  /// `config` and `dataset` must outlive the object. Batches are in pinned memory if compute.device is a GPU.
  RealBatches(const Config& config, const Compute& compute, const Dataset& dataset, std::int64_t images_seen,
              int rank = 0, int ranks = 1);

  /// Returns the batches of the next step: discriminator_steps batches, or fewer at the end of the run.
  std::vector<RealImages> next();

 private:
  const Config& config_;
  std::int64_t position_;
  BatchStream stream_;
};

/// Everything that the host decides about one batch of a step: the images, the random numbers, and which terms to
/// compute. Random numbers are keyed by (seed, images seen) and drawn for the whole batch; each process takes its part.
/// Tensors are on the device; those that are not needed are undefined.
struct StepInputs {
  at::Tensor real;                        ///< [B, C, R, R], dtype of the computation
  at::Tensor latents;                     ///< [B, latent_dim], dtype of the computation
  at::Tensor label_noise, interpolation;  ///< [B], float32
  AugmentationDraws of_real, of_fake, of_real_for_generator, of_fake_for_generator;
  Part part;
  double penalty_factor = 0;      ///< factor for R1 and R2: r1_every if the penalties are due, 0 otherwise
  bool trains_generator = false;  ///< whether the batch also trains the generator; true for the last batch of a step

  std::vector<at::Tensor*> tensors();
};

/// Draws the inputs for the batch that starts at state.images_seen. `index` is the index of the batch within the step.
StepInputs draw_step_inputs(const GanState& state, const Config& config, const Compute& compute,
                            const RealImages& batch, std::int64_t index, bool trains_generator);

}  // namespace slopegan
