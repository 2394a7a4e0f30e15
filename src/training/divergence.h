#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "training/gan_state.h"

/// Where numbers stop being numbers. Everything here throws DivergedError where a value is NaN or infinite, naming the
/// step, the images seen, and the tensor or layer.
namespace slopegan {

/// What went into the networks in the step.
struct StepInputs {
  at::Tensor latents;  ///< [B, latent_dim], as the generator takes them
  at::Tensor real;     ///< [B, C, R, R]
  at::Tensor fake;     ///< [B, C, R, R], of `latents`
};

/// The value of a loss (`name`: "the generator's loss"). The message about one that is not finite names what is to
/// blame: the first weight that is not finite, or the first block whose output is not; to find that one, the networks
/// run once more, which leaves traces in their running statistics.
double check_loss(const at::Tensor& loss, const char* name, GanState& state, const StepInputs& inputs);

/// The 2-norm of the gradients over all parameters.
double check_gradients(const Adam& optimizer, const char* network, const GanState& state);

/// The parameters of both networks, after the optimisers' steps.
void check_weights(const GanState& state);

/// Every tensor of a checkpoint.
void check_state(const GanState& state);

}  // namespace slopegan
