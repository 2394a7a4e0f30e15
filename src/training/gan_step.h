#pragma once

#include <optional>
#include <vector>

#include "config/config.h"
#include "run/records.h"
#include "training/gan_state.h"
#include "training/recorded_step.h"
#include "training/step_inputs.h"

namespace slopegan {

class DataParallel;

/// One alternation of DCGAN training (Radford et al. 2016): a discriminator step for each real batch, then one
/// generator step on the last generated batch.
///
/// The host draws all random numbers of a batch, the device computes without being asked anything, and then its figures
/// are read at once: a GPU is waited for once a batch. Its work on a batch is recorded and played back where the device
/// can (RecordedStep).
class GanStep {
 public:
  /// parallel: the processes that take the steps together, each with its part of every batch, of one image or more;
  /// nothing where this one is alone. The losses, statistics and weights are those of the whole batches, in all of
  /// them. All of the arguments outlive this.
  GanStep(GanState& state, const Config& config, const Compute& compute, DataParallel* parallel = nullptr);

  /// Moves the state on by the images of `real_batches`, one to discriminator_steps of them, and updates the average.
  /// Throws DivergedError naming the step and the tensor or layer where a loss, a gradient or a weight is NaN or
  /// infinite; an optimiser's step that would have used it is not taken.
  StepStats take(const std::vector<RealImages>& real_batches);

 private:
  void take_batch(const StepInputs& inputs, StepStats& stats);

  GanState& state_;
  const Config& config_;
  const Compute& compute_;
  DataParallel* parallel_;
  RecordedStep recorded_;
};

/// A step on its own.
StepStats gan_step(GanState& state, const Config& config, const Compute& compute,
                   const std::vector<RealImages>& real_batches, DataParallel* parallel = nullptr);

}  // namespace slopegan
