#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include <opencv2/core.hpp>
#include <torch/types.h>

#include "config/config.h"
#include "data/dataset.h"

namespace slopegan {

/// How images of one size are fitted to resolution x resolution.
struct Fit {
  cv::Rect crop;        ///< the part of the image that is used
  bool resize = false;  ///< resize to the resolution; otherwise centre and pad with black
  cv::Point offset;     ///< position of the cropped image if it is padded

  bool is_cropped(std::int64_t height, std::int64_t width) const { return crop.height < height || crop.width < width; }
  bool is_padded(std::int64_t resolution) const {
    return !resize && (crop.height < resolution || crop.width < resolution);
  }
  bool is_enlarged(std::int64_t resolution) const {
    return resize && (crop.height < resolution || crop.width < resolution);
  }
};

/// Returns data.fit or, if it is auto, pad for the kinds idx, npz and cifar and crop for folders. Folders that are read
/// with data.as_in_0_9 always use pad.
ImageFit chosen_fit(const DataConfig& data);

/// data.background as BGR; std::nullopt if it is "none".
std::optional<cv::Vec3b> background_colour(const std::string& background);

/// Returns how an image of this size is fitted. ImageFit::crop resizes the central square, and ImageFit::stretch the
/// whole image. ImageFit::pad pads an image if both sides are in [3/4 resolution, resolution]; otherwise, it crops the
/// image to its central square, which it pads if the side is in this range and resizes if not. A part that already has
/// the resolution is not resized. If an odd number of rows or columns is added or removed, the larger part is at the
/// bottom or on the right. Throws std::invalid_argument for ImageFit::automatic.
Fit fit_image(std::int64_t height, std::int64_t width, std::int64_t resolution, ImageFit how);

/// Describes in a sentence how fitting changes images of this size; returns "" if it does not change them.
std::string fit_text(std::int64_t height, std::int64_t width, std::int64_t resolution, ImageFit how);

/// Converts stored images of one size into inputs of the discriminator: float32 in [-1, 1] (byte / 127.5 - 1, so black
/// is -1), resolution x resolution, channels last. Not thread-safe, because it owns scratch memory.
class ImageTransform {
 public:
  /// Throws std::invalid_argument unless channels is 1 or 3 and all sizes are positive.
  ImageTransform(std::int64_t channels, std::int64_t height, std::int64_t width, std::int64_t resolution, ImageFit how);
  ImageTransform(const ImageTransform&) = delete;  // a copied cv::Mat shares its memory
  ImageTransform& operator=(const ImageTransform&) = delete;

  /// `image`: uint8 [C, H, W]; `out`: float32 [resolution, resolution, C], completely overwritten. `flip` mirrors the
  /// result horizontally.
  void operator()(std::span<const std::uint8_t> image, bool flip, std::span<float> out);

  std::int64_t input_size() const { return channels_ * height_ * width_; }
  std::int64_t output_size() const { return channels_ * resolution_ * resolution_; }

 private:
  void scale_into(std::span<const std::uint8_t> image, cv::Mat& out, cv::Point offset) const;
  void resize_into(cv::Mat& result);

  std::int64_t channels_, height_, width_, resolution_;
  Fit fit_;
  cv::Mat scratch_;  // the cropped image as float, if it is resized
  cv::Mat halfway_;  // the image after one side was reduced, if the other side must be enlarged
};

/// Whether the image at `position` (the number of images before it, over all epochs) is mirrored: true with probability
/// 1/2, depending on the seed.
bool is_flipped(std::uint64_t seed, std::int64_t position);

/// The images at `indices` as inputs of the discriminator, fitted according to dataset.fit, without flips: float32 [n,
/// C, resolution, resolution] with channels-last strides. Throws std::out_of_range for invalid indices.
torch::Tensor prepare_images(const Dataset& dataset, std::span<const std::int64_t> indices, std::int64_t resolution);

/// Fits `image` (CV_8UC1 or CV_8UC3, BGR) to the resolution as ImageTransform does, but returns bytes: uint8
/// [C, resolution, resolution], RGB.
torch::Tensor fit_to_resolution(const cv::Mat& image, std::int64_t resolution, ImageFit how);

}  // namespace slopegan
