#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "images/image_file.h"

/// The decoders that decode_image uses. They throw DataError and TooLargeError without the file's name, and do not
/// write to the terminal: the first warning from libjpeg, libpng or libtiff is stored in ImageFacts::complaint.
namespace slopegan {

DecodedImage decode_jpeg(std::string_view bytes, const DecodeOptions& options);
DecodedImage decode_png(std::string_view bytes, const DecodeOptions& options);
DecodedImage decode_gif(std::string_view bytes, const DecodeOptions& options);
/// WebP, BMP and TIFF, through OpenCV. `bytes` may be changed.
DecodedImage decode_with_opencv(std::string& bytes, ImageFormat format, const DecodeOptions& options);

/// The smallest factor (1, 2, 4 or 8) by which an image of this size must be reduced so that decoding, cropping and
/// resizing it in float32 takes no more than about 200 MiB; 1 if options.reduce is false. Throws TooLargeError if the
/// image has more than 256 megapixels.
int reduction_of(cv::Size size, const DecodeOptions& options);

/// Limits the memory for images that can only be decoded as a whole: only one thread at a time decodes a large image,
/// because the memory of all threads adds up. Throws TooLargeError if a single image exceeds the limit.
class WholeImageMemory {
 public:
  explicit WholeImageMemory(std::uint64_t bytes);

 private:
  std::unique_lock<std::mutex> lock_;
};

/// Both throw a DataError. The first reports that a part of the image is missing or wrong, the second that the image is
/// intact but of an unsupported kind.
[[noreturn]] void report_bad_image(const std::string& reason);
[[noreturn]] void report_unsupported(const std::string& what);

}  // namespace slopegan
