#pragma once

#include <cstdint>
#include <vector>

#include "config/config.h"
#include "run/records.h"
#include "training/gan_state.h"
#include "training/recorded_step.h"
#include "training/step_inputs.h"

namespace slopegan {

class DataParallel;

/// A step of DCGAN training (Radford et al. 2016): one discriminator step per real batch, then one generator step on
/// the last generated batch.
///
/// For each batch, the host draws all random numbers (draw_step_inputs), the device computes without host
/// synchronisation (compute_batch), and the host then reads all results together. On devices that support
/// graphs, a single process records and replays the computation if it repeats from step to step (RecordedStep).
class GanStep {
 public:
  /// With `parallel`, the ranks take each step together: each rank processes its part (at least one image) of every
  /// batch, and all ranks obtain the losses and weights of the whole batch. Batch statistics cover the whole batch only
  /// with training.sync_batch_norm. nullptr means a single process. All arguments must outlive the object.
  GanStep(GanState& state, const Config& config, const Compute& compute, DataParallel* parallel = nullptr);

  /// Takes a step on `real_batches`, which has 1 to discriminator_steps elements, and updates the averaged generator.
  /// Throws a DivergedError that names the step and the tensor or layer if a loss, a gradient or a weight is NaN or
  /// infinite. Optimiser steps that would use such a value are skipped.
  StepStats take(const std::vector<RealImages>& real_batches);

  /// The number of batches that were computed by replaying a recording (see RecordedStep).
  std::int64_t replayed_batches() const { return recorded_.replayed(); }

 private:
  void take_batch(const StepInputs& inputs, StepStats& stats);

  GanState& state_;
  const Config& config_;
  const Compute& compute_;
  DataParallel* parallel_;
  RecordedStep recorded_;
};

/// The number of images in a step that is not shortened by the end of the run.
inline std::int64_t full_step_images(const Config& config) {
  return config.training.batch_size * config.optimizer.discriminator_steps;
}

/// Takes a single step (see GanStep).
StepStats gan_step(GanState& state, const Config& config, const Compute& compute,
                   const std::vector<RealImages>& real_batches, DataParallel* parallel = nullptr);

/// Takes a step that is not part of a run, to obtain gradients for a state that has none, such as a restored one. Then
/// sets the learning rates to those of the last step that the run took before, for describe_last_step: at the end of a
/// run, they may have decayed to 0.
void take_trial_step(GanState& state, const Config& config, const Compute& compute,
                     const std::vector<RealImages>& real_batches);

}  // namespace slopegan
