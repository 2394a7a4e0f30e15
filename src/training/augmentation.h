#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "config/config.h"
#include "data/part.h"
#include "support/random.h"

namespace slopegan {

/// What an augmentation draws for each of N images; undefined where it is not asked for.
struct AugmentationDraws {
  at::Tensor brightness, saturation, contrast;  ///< [N, 1, 1, 1], in the images' dtype
  at::Tensor row_shift, column_shift;           ///< [N, 1], int64, pixels
  at::Tensor hole_row, hole_column;             ///< [N, 1], int64, the hole's centre

  std::vector<at::Tensor*> tensors() {
    return {&brightness, &saturation, &contrast, &row_shift, &column_shift, &hole_row, &hole_column};
  }
};

/// Draws for the whole batch and gives those of `images`, its part, on their device; a function of the stream and the
/// part's place alone.
AugmentationDraws draw_augmentation(const at::Tensor& images, const std::vector<Augmentation>& kinds,
                                    RandomStream random, const Part& part);

/// Differentiable augmentation (Zhao et al. 2020): the same random changes, drawn anew for each image, before every
/// look that the discriminator takes at real and generated images, so that it cannot learn few images by heart and the
/// generator is not led to make changed ones. In this order, whichever are drawn:
///   color        brightness + U(−0.5, 0.5), saturation × U(0, 2) about the pixel's mean, contrast × U(0.5, 1.5) about
///                the image's mean
///   translation  by up to an eighth of the side in each direction, whole pixels, zeros behind
///   cutout       a square of half the side, centred anywhere, becomes zero
/// images: [N, C, R, R]. Gradients pass through. Reads nothing back from the images' device.
at::Tensor augment(at::Tensor images, const AugmentationDraws& draws);

/// Draws for a whole batch and changes it.
at::Tensor augment(const at::Tensor& images, const std::vector<Augmentation>& kinds, RandomStream random);

}  // namespace slopegan
