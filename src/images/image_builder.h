#pragma once

#include <cstdint>
#include <vector>

#include <opencv2/core.hpp>

#include "images/image_file.h"

namespace slopegan {

/// How the samples of a pixel are stored in the rows that are passed to ImageBuilder. Their order is gray; gray, alpha;
/// blue, green, red; or blue, green, red, alpha. 16-bit samples are in the machine's byte order.
struct PixelLayout {
  int channels = 3;            ///< 1 to 4
  bool is_deep = false;        ///< 16 bits per sample
  bool premultiplied = false;  ///< the colours are already multiplied by alpha
};

/// Makes an 8-bit image without transparency from the rows that a decoder delivers. The image may be reduced by a
/// factor of 2, 4 or 8; each of its pixels is then the mean of a square of pixels. Only one row of sums is kept, so
/// reducing a large image takes little more memory than the reduced image.
class ImageBuilder {
 public:
  ImageBuilder(cv::Size size, PixelLayout layout, int reduction, const DecodeOptions& options);

  /// Adds the next row, of size.width pixels. Does not throw and owns no resources, so that it can be called between
  /// calls to C libraries that use longjmp.
  void add_row(const void* samples);

  /// The image: CV_8UC1 or CV_8UC3 (BGR). Complete once all rows have been added.
  const cv::Mat& image() const { return image_; }
  bool has_transparency() const { return has_transparency_; }
  /// The largest colour value of a deep image; 0 for other images.
  int largest_value() const { return largest_value_; }

 private:
  template <class Sample>
  void convert_row(const Sample* samples, std::uint8_t* out);
  void accumulate(const std::uint8_t* row);
  void flush();

  PixelLayout layout_;
  int width_, height_, reduction_, shift_;
  std::optional<cv::Vec3b> background_;
  cv::Mat image_;
  std::vector<std::uint8_t> row_;    // a converted row, if the image is reduced
  std::vector<std::uint32_t> sums_;  // sums over up to `reduction_` rows
  int rows_ = 0;
  bool has_transparency_ = false;
  int largest_value_ = 0;
};

/// Converts an image that was decoded as a whole (CV_8U or CV_16U, 1, 3 or 4 channels) in the same way as ImageBuilder,
/// and stores the image and its facts in `result`.
void build_image(const cv::Mat& whole, bool premultiplied, int reduction, const DecodeOptions& options,
                 DecodedImage& result);

}  // namespace slopegan
