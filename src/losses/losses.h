#pragma once

#include <ATen/core/Tensor.h>

#include "config/config.h"

/// Adversarial losses and gradient penalties as pure functions. To add a loss, add its LossKind and its cases in the
/// switch statements in losses.cpp; the compiler reports missing cases.
namespace slopegan {

// --- Adversarial losses ---------------------------------------------------------------------------------------------

// These functions map the discriminator's logits ([N], float32 or float64) to a scalar. Below, r and f are the logits
// for real and generated images, and t is real_label plus the label noise.

/// The loss of the discriminator.
///
///   bce           mean(−t·log σ(r) − (1 − t)·log(1 − σ(r))) + mean(−log(1 − σ(f)))
///                 Goodfellow et al. 2014; t < 1: one-sided label smoothing, Salimans et al. 2016
///   hinge         mean(max(0, 1 − r)) + mean(max(0, 1 + f))
///                 Lim and Ye 2017
///   wasserstein   mean(f) − mean(r)
///                 Arjovsky et al. 2017
///   lsgan         ½ mean((r − t)²) + ½ mean(f²)
///                 Mao et al. 2017 with (a, b, c) = (0, 1, 1)
///   relativistic  mean(softplus(f − r)) over pairs of images
///                 Jolicoeur-Martineau 2019; R3GAN, Huang et al. 2024
///
/// label_noise: [N], added to the real targets of bce and lsgan; undefined if there is no noise.
at::Tensor discriminator_loss(const LossConfig& loss, const at::Tensor& real_logits, const at::Tensor& fake_logits,
                              const at::Tensor& label_noise = {});

/// The two terms of discriminator_loss. Throw c10::Error if needs_real_logits(loss.kind): such a loss has no terms for
/// real or generated images alone.
at::Tensor loss_for_real(const LossConfig& loss, const at::Tensor& logits, const at::Tensor& label_noise = {});
at::Tensor loss_for_fake(const LossConfig& loss, const at::Tensor& logits);

/// The loss of the generator.
///
///   bce           mean(−log σ(f)), the non-saturating loss
///   hinge         −mean(f)
///   wasserstein   −mean(f)
///   lsgan         ½ mean((f − 1)²)
///   relativistic  mean(softplus(r − f)) over pairs of images
///
/// real_logits: required if needs_real_logits(loss.kind), otherwise unused. Throws c10::Error if they are missing.
at::Tensor generator_loss(const LossConfig& loss, const at::Tensor& fake_logits, const at::Tensor& real_logits = {});

/// Whether the losses compare the logits for real and generated images, so that the generator's loss also depends on
/// the logits for real images.
bool needs_real_logits(LossKind kind);

// --- Gradient penalties ---------------------------------------------------------------------------------------------

// Penalties on the gradients of the discriminator's logits [N] with respect to its input images [N, ...], which must
// require gradients. The penalties are differentiable with respect to the weights. With batch norm, a logit depends on
// all images, so the gradient with respect to an image also contains contributions from the logits of other images.

/// The mean over the images of |∂ logit / ∂ image|², in the dtype of the logits. R1 is γ/2 times this value at real
/// images, R2 at generated images (Mescheder et al. 2018).
at::Tensor squared_gradient_norm(const at::Tensor& logits, const at::Tensor& images);

/// The mean over the images of (|∂ logit / ∂ image| − 1)², the penalty of WGAN-GP (Gulrajani et al. 2017).
at::Tensor unit_gradient_penalty(const at::Tensor& logits, const at::Tensor& images);

/// weights[i] · real[i] + (1 − weights[i]) · fake[i], the images at which WGAN-GP penalises the gradient: a leaf that
/// requires gradients. weights: [N] in [0, 1].
at::Tensor interpolate_images(const at::Tensor& real, const at::Tensor& fake, const at::Tensor& weights);

}  // namespace slopegan
