#pragma once

#include <ATen/core/Tensor.h>

#include "models/dcgan.h"

/// What the generated images and the discriminator's answers say about the state of the game.
namespace slopegan {

/// The mean Euclidean distance between two different images of `images` [N, …], N ≥ 2, in the pixels' unit. A generator
/// that makes one picture only has 0.
double mean_pairwise_distance(const at::Tensor& images);

/// The share of the values beyond ±0.99, where tanh hardly passes a gradient. Real images have such values too.
double saturated_share(const at::Tensor& images);

/// The share of `logits` on the right side of 0: above it for real images, below it for generated ones. A logit of 0 is
/// wrong either way.
double accuracy(const at::Tensor& logits, bool real);

/// The mean over `images` [N, C, R, R] of the 2-norm of ∂ logit / ∂ image, as the R1 penalty measures it (Mescheder et
/// al. 2018). With batch norm in training mode the images of a batch share statistics, so the sum of their logits is
/// differentiated. Leaves no gradient in the discriminator.
double image_gradient_norm(Discriminator& discriminator, const at::Tensor& images);

}  // namespace slopegan
