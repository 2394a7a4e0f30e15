#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <opencv2/imgcodecs.hpp>
#include <zlib.h>

#include "support/bytes.h"

/// Functions that build unusual image files for tests.
namespace slopegan {

/// Encodes `image` in the format of the file extension `ending`.
inline std::string encoded(const std::string& ending, const cv::Mat& image, const std::vector<int>& options = {}) {
  std::vector<unsigned char> bytes;
  cv::imencode(ending, image, bytes, options);
  return {bytes.begin(), bytes.end()};
}

/// `value` as `size` bytes, most significant byte first.
inline std::string big_endian_bytes(std::uint64_t value, int size) {
  std::string bytes;
  for (int i = size - 1; i >= 0; --i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
  return bytes;
}

inline std::string png_chunk(const std::string& type, const std::string& data) {
  const std::string content = type + data;
  const auto sum = crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size()));
  return big_endian_bytes(data.size(), 4) + content + big_endian_bytes(sum, 4);
}

/// A PNG file. `rows` has a filter byte 0 before each row; `chunks` precede the pixels. Colour types: 0 gray, 2 RGB, 3
/// palette, 4 gray and alpha, 6 RGB and alpha.
inline std::string png_file(cv::Size size, int bits, int colour_type, const std::string& rows,
                            const std::string& chunks = "") {
  std::string header = big_endian_bytes(static_cast<std::uint64_t>(size.width), 4) +
                       big_endian_bytes(static_cast<std::uint64_t>(size.height), 4);
  header += {static_cast<char>(bits), static_cast<char>(colour_type), '\0', '\0', '\0'};
  std::string packed(compressBound(rows.size()), '\0');
  auto length = static_cast<uLongf>(packed.size());
  compress(reinterpret_cast<Bytef*>(packed.data()), &length, reinterpret_cast<const Bytef*>(rows.data()), rows.size());
  packed.resize(length);
  return "\x89PNG\r\n\x1a\n" + png_chunk("IHDR", header) + chunks + png_chunk("IDAT", packed) + png_chunk("IEND", "");
}

/// Rows in which every pixel is `pixel`, for png_file.
inline std::string png_rows(cv::Size size, const std::string& pixel) {
  std::string rows;
  for (int y = 0; y < size.height; ++y) {
    rows += '\0';
    for (int x = 0; x < size.width; ++x) rows += pixel;
  }
  return rows;
}

/// A pixel with 16-bit samples, for png_rows.
inline std::string deep_pixel(const std::vector<int>& samples) {
  std::string bytes;
  for (const int sample : samples) bytes += big_endian_bytes(static_cast<std::uint64_t>(sample), 2);
  return bytes;
}

/// Inserts a chunk after the header of a PNG file.
inline std::string with_png_chunk(std::string png, const std::string& type, const std::string& data) {
  return png.insert(33, png_chunk(type, data));
}

/// EXIF data with an orientation (CIPA DC-008, section 4.6.4, tag 0x112).
inline std::string exif_data(char orientation) {
  std::string data("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0", 18);
  data += orientation;
  return data.append(7, '\0');
}

/// Inserts an EXIF segment into a JPEG file.
inline std::string with_orientation(std::string jpeg, char orientation) {
  const std::string exif = std::string("Exif\0\0", 6) + exif_data(orientation);
  return jpeg.insert(2, std::string("\xff\xe1\0", 3) + static_cast<char>(exif.size() + 2) + exif);
}

/// Inserts bytes that belong to no segment into a JPEG file, before `marker` (by default, the start of a scan). Some
/// cameras write such files.
inline std::string with_extraneous_bytes(std::string jpeg, const std::string& marker = "\xff\xda") {
  return jpeg.insert(jpeg.find(marker), std::string("\0\1\2\3", 4));
}

/// A BMP file of 2 x 2 pixels, each consisting of the four bytes of `pixel`. The masks give the positions of the
/// channels: blue comes first by default. A header of fewer than 56 bytes has no mask for alpha.
inline std::string bmp_file(std::uint64_t header_size, const std::string& pixel, std::uint64_t alpha_mask = 0,
                            std::array<std::uint64_t, 3> rgb_masks = {0xff0000, 0xff00, 0xff}) {
  const std::uint64_t offset = 14 + std::max<std::uint64_t>(header_size, 52);
  std::string bytes = "BM";
  const auto add = [&](std::uint64_t value, int size) { append_little_endian(bytes, value, size); };
  for (const std::uint64_t value : {offset + 16, std::uint64_t{0}, offset, header_size}) add(value, 4);
  for (const std::uint64_t side : {2, 2}) add(side, 4);
  add(1, 2);                                                                  // planes
  add(32, 2);                                                                 // bits per pixel
  for (const std::uint64_t value : {3, 16, 2835, 2835, 0, 0}) add(value, 4);  // 3: BI_BITFIELDS
  for (const std::uint64_t mask : rgb_masks) add(mask, 4);
  if (header_size >= 56) add(alpha_mask, 4);
  bytes.resize(offset, '\0');
  for (int i = 0; i < 4; ++i) bytes += pixel;
  return bytes;
}

/// The values of the tags in a TIFF file.
using TiffTags = std::map<std::uint64_t, std::vector<std::uint64_t>>;

/// A TIFF file with these tags. `blocks` are tiles if there is a tag for the tile width (322), and strips otherwise.
/// The tags for the offsets and sizes of the blocks are added.
inline std::string tiff_file(TiffTags tags, const std::vector<std::string>& blocks) {
  const bool is_tiled = tags.contains(322);
  std::string pixels;
  for (const auto& block : blocks) {
    tags[is_tiled ? 324 : 273].push_back(8 + pixels.size());
    tags[is_tiled ? 325 : 279].push_back(block.size());
    pixels += block;
  }
  std::string bytes("II*\0", 4), entries, values;
  const std::uint64_t directory = 8 + pixels.size(), after = directory + 2 + 12 * tags.size() + 4;
  append_little_endian(bytes, directory, 4);
  append_little_endian(entries, tags.size(), 2);
  for (const auto& [tag, numbers] : tags) {
    append_little_endian(entries, tag, 2);
    append_little_endian(entries, 4, 2);  // 32-bit integers
    append_little_endian(entries, numbers.size(), 4);
    append_little_endian(entries, numbers.size() == 1 ? numbers[0] : after + values.size(), 4);
    for (const auto number : numbers) {
      if (numbers.size() > 1) append_little_endian(values, number, 4);
    }
  }
  return bytes + pixels + entries + std::string(4, '\0') + values;
}

}  // namespace slopegan
