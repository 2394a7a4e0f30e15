#pragma once

#include <ATen/core/Tensor.h>

#include "config/config.h"

/// The adversarial losses as pure functions of the discriminator's logits ([N], float32 or float64) to a scalar.
namespace slopegan {

/// bce: mean of −t·log σ(real) − (1 − t)·log(1 − σ(real)), plus mean of −log(1 − σ(fake)) (Goodfellow et al. 2014),
/// with t = real_label (one-sided label smoothing below 1, Salimans et al. 2016).
at::Tensor discriminator_loss(const LossConfig& loss, const at::Tensor& real_logits, const at::Tensor& fake_logits);

/// bce: mean of −log σ(fake), the non-saturating loss (Goodfellow et al. 2014).
at::Tensor generator_loss(const LossConfig& loss, const at::Tensor& fake_logits);

}  // namespace slopegan
