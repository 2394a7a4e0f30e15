#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <opencv2/core.hpp>

struct tiff;  // libtiff's TIFF

namespace slopegan {

/// Reads a TIFF file in memory through libtiff. OpenCV's decoder does not suffice: it discards libtiff's messages,
/// accepts 8-bit images with parts that cannot be decoded, and reads only the first of several 16-bit planes.
///
/// Methods throw DataError like the functions in images/decoders.h. `bytes` must outlive the reader.
class TiffReader {
 public:
  explicit TiffReader(std::string_view bytes);
  TiffReader(const TiffReader&) = delete;
  TiffReader& operator=(const TiffReader&) = delete;
  ~TiffReader();

  /// The size of a decoded strip or tile in bytes. A tile may be larger than the image.
  std::uint64_t block_bytes() const;

  /// Decodes the image and discards it. Returns the first warning, or an empty string. Throws DataError if any part of
  /// the image is missing or damaged.
  std::string check();

  /// Whether each channel is stored as a plane of its own and has more than 8 bits.
  bool has_deep_planes() const;

  /// Decodes an image for which has_deep_planes() returns true, and turns it upright: CV_16UC3 (BGR), or CV_16UC4 if
  /// there is a fourth plane. Stores the first warning in `complaint`.
  cv::Mat read_deep_planes(cv::Size declared_size, std::string& complaint);

  /// The bytes that libtiff reads.
  struct Source {
    std::string_view bytes;
    std::size_t at = 0;
    bool has_ended = false;  ///< libtiff tried to read beyond the end
  };
  /// The first error and the first warning from libtiff.
  struct Reports {
    std::string error, warning;
  };

 private:
  template <class Value>
  Value field(std::uint32_t tag) const;
  int bits() const;
  int samples() const;
  cv::Size block_size(cv::Size whole) const;
  void read_blocks(const std::function<void(int index, std::uint8_t* pixels)>& visit);
  [[noreturn]] void report_damage() const;

  Source source_;
  Reports reports_;
  std::unique_ptr<tiff, void (*)(tiff*)> file_;
  bool is_tiled_ = false;
};

}  // namespace slopegan
