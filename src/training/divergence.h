#pragma once

#include <ATen/core/Tensor.h>

#include "training/gan_state.h"

/// Detection of values that are not finite. The check functions throw DivergedError if a value is NaN or infinite; the
/// message gives the step, the number of images seen, and the tensor or layer.
namespace slopegan {

/// The tensors that a step passed through the networks.
struct StepImages {
  at::Tensor latents;  ///< [B, latent_dim], the generator's input
  at::Tensor real;     ///< [B, C, R, R]
  at::Tensor fake;     ///< [B, C, R, R], generated from `latents`
};

/// Checks a loss; `name` is, for example, "the generator's loss". If the loss is not finite, the message names the
/// cause: the first weight that is not finite, the real images, or the first block whose output is not finite. To find
/// the block, the networks are run again, which changes their running statistics.
void check_loss(double loss, const char* name, GanState& state, const StepImages& images);

/// The 2-norm of the gradients over all parameters, as a float64 scalar on their device.
at::Tensor gradient_norm(const Adam& optimizer);

/// Checks the result of gradient_norm.
void check_gradients(double norm, const Adam& optimizer, const char* network, const GanState& state);

/// The sum of the 2-norms of all parameters of both networks, as a scalar on their device. It is not finite if an
/// element is not finite.
at::Tensor weight_norms(const GanState& state);

/// Checks the result of weight_norms, after the optimisers' steps.
void check_weights(double norms, const GanState& state);

/// Checks every tensor that a checkpoint of `state` contains.
void check_state(const GanState& state);

}  // namespace slopegan
