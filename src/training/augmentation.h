#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "config/config.h"
#include "data/part.h"
#include "support/random.h"

namespace slopegan {

/// Differentiable augmentation (Zhao et al. 2020): the same random changes, drawn anew for each image, before every
/// look that the discriminator takes at real and generated images, so that it cannot learn few images by heart and the
/// generator is not led to make changed ones. In this order, whichever are asked for:
///   color        brightness + U(−0.5, 0.5), saturation × U(0, 2) about the pixel's mean, contrast × U(0.5, 1.5) about
///                the image's mean
///   translation  by up to an eighth of the side in each direction, whole pixels, zeros behind
///   cutout       a square of half the side, centred anywhere, becomes zero
/// images: [N, C, R, R], the part of a batch. Gradients pass through. The result is a function of the images, the
/// stream and the part's place alone.
at::Tensor augment(at::Tensor images, const std::vector<Augmentation>& kinds, RandomStream random, const Part& part);

/// The same of a whole batch.
at::Tensor augment(const at::Tensor& images, const std::vector<Augmentation>& kinds, RandomStream random);

}  // namespace slopegan
