#pragma once

#include <cstdint>
#include <span>

#include <opencv2/core.hpp>
#include <torch/types.h>

#include "data/dataset.h"

namespace slopegan {

/// How an image of one size is brought to resolution × resolution.
struct Fit {
  cv::Rect crop;        ///< the part of the image that is used
  bool resize = false;  ///< stretched to the resolution; otherwise centred, with black around it
  cv::Point offset;     ///< where the cropped image lies when it is not resized
};

/// An image whose sides are both in [3/4 · resolution, resolution] is kept whole and padded, others are cut to their
/// central square, which is then padded where its side is in that range and resized where it is not. Where an odd
/// number of pixels is left, the larger part lies below and to the right.
Fit fit_image(std::int64_t height, std::int64_t width, std::int64_t resolution);

/// Turns stored images of one size into what the discriminator sees: float32 in [-1, 1] (byte / 127.5 − 1, black is
/// −1), resolution × resolution, channels last. Holds scratch memory: one object a thread.
class ImageTransform {
 public:
  /// Throws std::invalid_argument unless channels is 1 or 3 and all sizes are positive.
  ImageTransform(std::int64_t channels, std::int64_t height, std::int64_t width, std::int64_t resolution);
  ImageTransform(const ImageTransform&) = delete;  // a copied cv::Mat is the same memory
  ImageTransform& operator=(const ImageTransform&) = delete;

  /// `image`: uint8 [C, H, W]; `out`: float32 [resolution, resolution, C], all of it is written. `flip` mirrors the
  /// result left to right.
  void operator()(std::span<const std::uint8_t> image, bool flip, std::span<float> out);

  std::int64_t input_size() const { return channels_ * height_ * width_; }
  std::int64_t output_size() const { return channels_ * resolution_ * resolution_; }

 private:
  void scale_into(std::span<const std::uint8_t> image, cv::Mat& out, cv::Point offset) const;

  std::int64_t channels_, height_, width_, resolution_;
  Fit fit_;
  cv::Mat scratch_;  // the cropped image as float, only for resizing
};

/// Whether the image at `position` (images seen before it, over all epochs) is mirrored: one in two.
bool flipped(std::uint64_t seed, std::int64_t position);

/// The images at `indices` as the discriminator sees them, without flips: float32 [n, C, resolution, resolution] with
/// channels-last strides. Throws std::out_of_range.
torch::Tensor prepare_images(const Dataset& dataset, std::span<const std::int64_t> indices, std::int64_t resolution);

}  // namespace slopegan
