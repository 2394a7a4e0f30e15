#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <opencv2/core.hpp>

#include "support/errors.h"
#include "support/files.h"

/// Image files as 8-bit OpenCV images: CV_8UC1 (gray) or CV_8UC3 (BGR).
namespace slopegan {

/// The formats that read_image decodes.
enum class ImageFormat { png, jpeg, webp, bmp, tiff, gif };

/// "PNG", "JPEG", ...
std::string_view format_name(ImageFormat format);

/// Detects the format of a file from its content: `first_bytes` are its first sniffed_bytes bytes, or all of a shorter
/// file. A camera's raw file (.dng, .nef, .arw, ...) may look like a TIFF file; see sniff_file.
std::optional<ImageFormat> sniff_format(std::string_view first_bytes);
constexpr std::size_t sniffed_bytes = 32;

/// Whether the extension is one of those of the formats, in any case: .png, .jpg, .jpeg, .jpe, .jfif, .webp, .bmp,
/// .dib, .tif, .tiff or .gif.
bool has_image_extension(const std::filesystem::path& file);

/// The first sniffed_bytes bytes of a file, or all of a shorter one; "" if it is not a regular file or cannot be read.
std::string read_first_bytes(const std::filesystem::path& file);

/// Detects the format of `file` from its content. The extension matters only for TIFF: the raw files of many cameras
/// are TIFF files with a thumbnail, so a TIFF file must have an image extension (has_image_extension) or none. Reads
/// only the first bytes. Returns std::nullopt for other formats, or if `file` is not a regular file or cannot be read.
std::optional<ImageFormat> sniff_file(const std::filesystem::path& file);

/// Width and height declared in the header of an image file, without decoding it; std::nullopt if `bytes` does not
/// start with such a header.
std::optional<cv::Size> declared_size(std::string_view bytes);

struct DecodeOptions {
  /// The colour behind transparent pixels (BGR). With std::nullopt, they keep their stored colours.
  std::optional<cv::Vec3b> background = cv::Vec3b(255, 255, 255);
  /// For images with 16 bits per channel: the number of bits that their values use, 8 to 16. The upper eight of these
  /// are kept.
  int deep_bits = 16;
  /// Reduce images of more than 12 megapixels.
  bool reduce = true;
};

/// What a decoder reports about an image that it has decoded.
struct ImageFacts {
  cv::Size size;                  ///< size of the upright image before any reduction
  int reduction = 1;              ///< 2, 4 or 8 if a large image was decoded at 1/2, 1/4 or 1/8 of its size
  bool lacks_end = false;         ///< the end of the file is missing, but all pixels are present
  bool has_transparency = false;  ///< at least one pixel is not opaque
  bool is_animation = false;      ///< the image is the first of several in the file
  bool is_cmyk = false;           ///< a JPEG in CMYK, converted to RGB
  bool is_deep = false;           ///< 16 bits per channel
  int largest_deep_value = 0;     ///< the largest colour value if is_deep is true
  std::string complaint;          ///< the first warning from libjpeg, libpng or libtiff
};

struct DecodedImage {
  cv::Mat image;
  ImageFacts facts;
};

/// Thrown for an image that is not damaged but takes too much memory.
struct TooLargeError : DataError {
  using DataError::DataError;
};

/// Decodes an image file of any ImageFormat, regardless of its extension. Turns the image upright (EXIF orientation)
/// and composites it on options.background. Unless options.reduce is false, images of more than 12 megapixels are
/// reduced by a factor of 2, 4 or 8 to at most that size. Non-interlaced PNG and baseline JPEG images are reduced row
/// by row, without decoding them as a whole. A file whose end is missing is accepted if all pixels are present. Writes
/// nothing to the terminal.
///
/// Throws DataError, naming the file, if the format is not supported or a part of the image is missing or damaged;
/// TooLargeError if the file is larger than 256 MiB, or if the image has more than 256 megapixels or must be decoded as
/// a whole (WebP, BMP, TIFF, GIF, interlaced PNG, progressive JPEG) and takes more than 384 MiB; IoError if the file
/// cannot be read.
DecodedImage decode_image(const std::filesystem::path& file, const DecodeOptions& options = {});

/// Whether decode_image and read_image_as_in_0_9 can read the bytes of the file, and thus do not throw IoError.
bool can_be_read(const std::filesystem::path& file);

/// Whether the header of an image file declares 16 bits per channel. Returns false if the file cannot be read.
bool is_deep_file(const std::filesystem::path& file);

/// Returns decode_image(file).image.
cv::Mat read_image(const std::filesystem::path& file);

/// Reads a grid that this program wrote. Unlike read_image, never reduces the image, so that tile_at finds the tiles.
cv::Mat read_grid(const std::filesystem::path& file);

/// Decodes a PNG, JPEG or WebP file to the same pixels as version 0.9: at most 12 megapixels, without alpha, and with
/// the upper 8 of 16 bits. Rejects truncated files. The libraries may write to the terminal.
cv::Mat read_image_as_in_0_9(const std::filesystem::path& file);

/// Encodes a CV_8UC1 or CV_8UC3 (BGR) image as PNG. Throws std::invalid_argument for other image types.
std::string encode_png(const cv::Mat& image);

/// Writes a PNG file atomically (see write_file_atomic). Throws std::invalid_argument like encode_png, and IoError,
/// naming the file, if writing fails.
void write_png(const std::filesystem::path& file, const cv::Mat& image, Sync sync = Sync::now);

}  // namespace slopegan
