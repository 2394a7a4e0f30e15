#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "config/config.h"
#include "data/part.h"
#include "support/random.h"

namespace slopegan {

/// The random numbers for augmenting N images. The tensors of augmentations that are not configured are undefined.
struct AugmentationDraws {
  at::Tensor brightness, saturation, contrast;  ///< [N, 1, 1, 1], dtype of the images
  at::Tensor row_shift, column_shift;           ///< [N, 1], int64, pixels
  at::Tensor hole_row, hole_column;             ///< [N, 1], int64, number of pixels before the hole's centre: 0 to R

  std::vector<at::Tensor*> tensors() {
    return {&brightness, &saturation, &contrast, &row_shift, &column_shift, &hole_row, &hole_column};
  }
};

/// Draws the random numbers for a whole batch and returns those for `images`, which must be the images of `part`.
/// The tensors are on the device of `images`. Their values are determined by the kinds, the size of the images, the
/// stream and the part.
AugmentationDraws draw_augmentation(const at::Tensor& images, const std::vector<Augmentation>& kinds,
                                    RandomStream random, const Part& part);

/// Differentiable augmentation (Zhao et al. 2020): random changes to all real and generated images that the
/// discriminator receives, drawn separately for each image. They keep the discriminator from memorising a small data
/// set. Because the generator's gradients pass through them, the generator does not learn to generate augmented images.
/// Applies the augmentations whose tensors in `draws` are defined, in this order:
///   color        brightness + U(−0.5, 0.5), saturation × U(0, 2) around the pixel's mean, contrast × U(0.5, 1.5)
///                around the image's mean
///   translation  shift by up to an eighth of the side in each direction, in whole pixels, padded with zeros
///   cutout       a square of half the side, with its centre anywhere in the image, is set to zero
/// `images` has the shape [N, C, R, R]. The function is differentiable and does not synchronise with the host.
at::Tensor augment(at::Tensor images, const AugmentationDraws& draws);

/// Draws the random numbers for `images`, which must be a whole batch, and augments them.
at::Tensor augment(const at::Tensor& images, const std::vector<Augmentation>& kinds, RandomStream random);

}  // namespace slopegan
