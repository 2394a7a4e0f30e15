#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include <opencv2/core.hpp>

/// Reads the headers of image files without decoding the images and without trusting the content.
namespace slopegan {

/// What find_jpeg_marker does with bytes between two segments that belong to neither. libjpeg skips such bytes with a
/// warning.
enum class StrayBytes { skip, reject };

/// The offset of the first marker in a JPEG file for which `wanted` returns true. Skips the segments before it by their
/// declared lengths (ITU-T T.81, B.1.1). Returns std::nullopt if there is no such marker, or at rejected stray bytes.
std::optional<std::size_t> find_jpeg_marker(std::string_view bytes, StrayBytes stray,
                                            const std::function<bool(unsigned char)>& wanted);

/// One chunk of a PNG file.
struct PngChunk {
  std::string_view type;  ///< four letters
  std::string_view data;  ///< shorter than declared if the file ends early
  bool is_whole = false;  ///< the file contains all of it
};

/// Calls `visit` for the chunks of a PNG file in order, until it returns false.
void visit_png_chunks(std::string_view bytes, const std::function<bool(const PngChunk&)>& visit);

/// Calls `visit` for the chunks of a WebP file in order, until it returns false. `type` has four characters.
void visit_webp_chunks(std::string_view bytes,
                       const std::function<bool(std::string_view type, std::string_view data)>& visit);

/// The first directory of a TIFF file or of the EXIF data of an image, which have the same form (TIFF 6.0, section 2).
class TiffDirectory {
 public:
  explicit TiffDirectory(std::string_view bytes);

  /// The first value of the entry `tag`; std::nullopt if there is no such entry of type BYTE, SHORT or LONG.
  std::optional<std::uint64_t> value(std::uint16_t tag) const;
  /// Whether another directory, and thus another image, follows.
  bool has_next() const;

 private:
  std::uint64_t number(std::size_t at, std::size_t size) const;

  std::string_view bytes_;
  bool big_endian_ = false;
  std::size_t entries_ = 0, count_ = 0;  // offset of the first entry; number of entries
};

/// The orientation in EXIF data, 1 to 8 (CIPA DC-008, tag 0x112); 1 (upright) if there is none. `exif` starts with the
/// byte order, optionally after "Exif\0\0".
int exif_orientation(std::string_view exif);

/// Turns an image with this EXIF orientation (1 to 8) upright.
void apply_orientation(cv::Mat& image, int orientation);

}  // namespace slopegan
