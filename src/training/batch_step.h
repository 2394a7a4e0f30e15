#pragma once

#include "config/config.h"
#include "training/gan_state.h"
#include "training/step_inputs.h"

namespace slopegan {

class DataParallel;

/// The results of a batch, as tensors on the device. All except `fake` are scalars; the losses, d_real, d_fake and the
/// gradient penalty are means over the whole batch. The generator's results and weight_norms are undefined if the batch
/// does not train the generator, and gradient_penalty is undefined if no penalty is due.
struct BatchResults {
  at::Tensor discriminator_loss, d_real, d_fake, gradient_penalty, discriminator_gradient_norm;
  at::Tensor generator_loss, generator_gradient_norm;
  at::Tensor weight_norms;  ///< not finite if a weight is not finite or if the squares overflow
  at::Tensor fake;          ///< [B, C, R, R], the generated images, detached
};

/// Computes one batch of a step on the device of `state`: the discriminator's step and, if inputs.trains_generator, the
/// generator's step. The computation does not synchronise with the host, and its sequence of operators depends only on
/// the shapes and flags of the inputs, so it can be recorded as a graph. After the first loss or gradient that is not
/// finite, the optimisers' steps change nothing. `parallel` may be nullptr.
BatchResults compute_batch(GanState& state, const LossConfig& loss, const StepInputs& inputs, DataParallel* parallel);

}  // namespace slopegan
