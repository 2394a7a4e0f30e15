#pragma once

#include <ATen/core/Tensor.h>

/// Penalties on the gradient of the discriminator's logit with respect to its input. They can be differentiated again,
/// down to the weights that made the logits. `images` [N, ...] requires gradients and `logits` [N] were computed from
/// it, each from its own image alone: with batch norm an image's gradient holds parts of its neighbours' logits.
namespace slopegan {

/// mean over images of |∂ logit / ∂ image|², in the logits' dtype. R1 is γ/2 times that at real images, R2 at generated
/// ones (Mescheder et al. 2018).
at::Tensor squared_gradient_norm(const at::Tensor& logits, const at::Tensor& images);

/// mean over images of (|∂ logit / ∂ image| − 1)², the penalty of WGAN-GP (Gulrajani et al. 2017).
at::Tensor unit_gradient_penalty(const at::Tensor& logits, const at::Tensor& images);

/// weights[i] · real[i] + (1 − weights[i]) · fake[i], where WGAN-GP looks at the gradient: a leaf that requires
/// gradients. weights: [N] in [0, 1].
at::Tensor interpolate_images(const at::Tensor& real, const at::Tensor& fake, const at::Tensor& weights);

}  // namespace slopegan
