#pragma once

#include <ATen/core/Tensor.h>

#include "config/config.h"

/// The adversarial losses as pure functions of the discriminator's logits ([N], float32 or float64) to a scalar. Below,
/// r and f are the logits of real and generated images, t is real_label plus the label noise.
namespace slopegan {

/// What the discriminator minimises.
///   bce           mean(−t·log σ(r) − (1 − t)·log(1 − σ(r))) + mean(−log(1 − σ(f)))      Goodfellow et al. 2014; t < 1:
///                 one-sided label smoothing, Salimans et al. 2016
///   hinge         mean(max(0, 1 − r)) + mean(max(0, 1 + f))                             Lim and Ye 2017
///   wasserstein   mean(f) − mean(r)                                                     Arjovsky et al. 2017
///   lsgan         ½ mean((r − t)²) + ½ mean(f²)                                         Mao et al. 2017, (a, b, c) =
///   (0, 1, 1) relativistic  mean(softplus(f − r)), images in pairs                                Jolicoeur-Martineau
///   2019; R3GAN,
///                                                                                       Huang et al. 2024
/// label_noise: [N], what is added to the targets of bce and lsgan; undefined for none.
at::Tensor discriminator_loss(const LossConfig& loss, const at::Tensor& real_logits, const at::Tensor& fake_logits,
                              const at::Tensor& label_noise = {});

/// What the generator minimises.
///   bce           mean(−log σ(f)), the non-saturating loss
///   hinge         −mean(f)
///   wasserstein   −mean(f)
///   lsgan         ½ mean((f − 1)²)
///   relativistic  mean(softplus(r − f)), images in pairs
/// real_logits: needed where needs_real_logits says so.
at::Tensor generator_loss(const LossConfig& loss, const at::Tensor& fake_logits, const at::Tensor& real_logits = {});

/// Whether the generator's loss depends on real images.
bool needs_real_logits(LossKind kind);

/// Whether real_label and label_noise mean anything to the loss.
bool has_targets(LossKind kind);

}  // namespace slopegan
