#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <opencv2/imgcodecs.hpp>
#include <zlib.h>

#include "support/bytes.h"

/// Writers of unusual image files for tests.
namespace slopegan {

/// `image` in the format with the extension `ending`.
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

/// A PNG file. `rows` has a filter byte 0 before each row; `chunks` are put before the pixels. Colour types: 0 gray, 2
/// RGB, 3 palette, 4 gray and alpha, 6 RGB and alpha.
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

/// Inserts bytes that belong to no segment before a marker of a JPEG file (its scan by default), as some cameras do.
inline std::string with_extraneous_bytes(std::string jpeg, const std::string& marker = "\xff\xda") {
  return jpeg.insert(jpeg.find(marker), std::string("\0\1\2\3", 4));
}

/// A BMP file of 2 x 2 pixels of four bytes, blue first, with a header of `header_size` bytes and masks for the
/// channels. A header of fewer than 56 bytes has no mask for alpha.
inline std::string bmp_file(std::uint64_t header_size, const std::string& pixel, std::uint64_t alpha_mask = 0) {
  const std::uint64_t offset = 14 + std::max<std::uint64_t>(header_size, 52);
  std::string bytes = "BM";
  const auto add = [&](std::uint64_t value, int size) { append_little_endian(bytes, value, size); };
  for (const std::uint64_t value : {offset + 16, std::uint64_t{0}, offset, header_size}) add(value, 4);
  for (const std::uint64_t side : {2, 2}) add(side, 4);
  add(1, 2);                                                                  // planes
  add(32, 2);                                                                 // bits per pixel
  for (const std::uint64_t value : {3, 16, 2835, 2835, 0, 0}) add(value, 4);  // 3: with masks
  for (const std::uint64_t mask : {0xff0000, 0xff00, 0xff}) add(mask, 4);
  if (header_size >= 56) add(alpha_mask, 4);
  bytes.resize(offset, '\0');
  for (int i = 0; i < 4; ++i) bytes += pixel;
  return bytes;
}

}  // namespace slopegan
