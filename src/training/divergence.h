#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "training/gan_state.h"

/// Where numbers stop being numbers. Everything here throws DivergedError where a value is NaN or infinite, naming the
/// step, the images seen, and the tensor or layer.
namespace slopegan {

/// What went through the networks in the step.
struct StepImages {
  at::Tensor latents;  ///< [B, latent_dim], as the generator takes them
  at::Tensor real;     ///< [B, C, R, R]
  at::Tensor fake;     ///< [B, C, R, R], of `latents`
};

/// `loss` (`name`: "the generator's loss"). The message about one that is not finite names what is to blame: the first
/// weight that is not finite, or the first block whose output is not; to find that one, the networks run once more,
/// which leaves traces in their running statistics.
void check_loss(double loss, const char* name, GanState& state, const StepImages& images);

/// The 2-norm of the gradients over all parameters, a float64 scalar on their device.
at::Tensor gradient_norm(const Adam& optimizer);

/// `norm`: what gradient_norm gave.
void check_gradients(double norm, const Adam& optimizer, const char* network, const GanState& state);

/// The sum of the 2-norms of both networks' parameters, a scalar on their device: one NaN or infinity makes its
/// tensor's norm one.
at::Tensor weight_norms(const GanState& state);

/// The parameters of both networks, after the optimisers' steps. `norms`: what weight_norms gave.
void check_weights(double norms, const GanState& state);

/// Every tensor of a checkpoint.
void check_state(const GanState& state);

}  // namespace slopegan
