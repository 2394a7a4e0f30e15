#pragma once

#include <vector>

#include "config/config.h"
#include "training/gan_state.h"
#include "training/step_inputs.h"

namespace slopegan {

class DataParallel;

/// What the device tells about a batch: scalars there, means over the whole batch. Those of the generator, and of a
/// penalty that is not due, are undefined where there are none.
struct BatchFigures {
  at::Tensor discriminator_loss, d_real, d_fake, gradient_penalty, discriminator_gradient_norm;
  at::Tensor generator_loss, generator_gradient_norm;
  at::Tensor weight_norms;  ///< not finite where a weight is not, or where squares overflow
  at::Tensor fake;          ///< [B, C, R, R], the generated images, detached
};

/// The computation of one batch of a step on the device of `state`: the discriminator's step, and the generator's where
/// it is the inputs' turn. Reads nothing back, and apart from the contents of the inputs, weights and optimisers it
/// does the same every time, so that it can be recorded. The optimisers leave everything as it is once a loss or a
/// gradient is not finite.
BatchFigures compute_batch(GanState& state, const LossConfig& loss, const StepInputs& inputs, DataParallel* parallel);

}  // namespace slopegan
