#include "images/read_image.h"

#include <cstdint>

#include <opencv2/imgcodecs.hpp>

#include "support/errors.h"
#include "support/files.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr std::size_t largest_file = std::size_t{256} << 20;
/// Decoded, cropped and as float for the resizing they take some 200 MiB.
constexpr std::int64_t most_pixels = std::int64_t{12} << 20;

std::uint32_t big_endian(std::string_view bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

std::optional<cv::Size> size_of(std::uint32_t width, std::uint32_t height) {
  if (width == 0 || height == 0 || width > INT32_MAX || height > INT32_MAX) return std::nullopt;
  return cv::Size(static_cast<int>(width), static_cast<int>(height));
}

/// Where the first marker lies that `wanted` is true of; the segments before it have given lengths (ITU T.81, B.1.1).
template <class Predicate>
std::optional<std::size_t> find_jpeg_marker(std::string_view bytes, Predicate wanted) {
  for (std::size_t at = 2; at + 9 <= bytes.size();) {
    if (bytes[at] != '\xff') return std::nullopt;
    const auto marker = static_cast<unsigned char>(bytes[at + 1]);
    if (marker == 0xff) {  // a fill byte
      ++at;
    } else if (wanted(marker)) {
      return at;
    } else {
      at += 2 + big_endian(bytes, at + 2, 2);
    }
  }
  return std::nullopt;
}

/// Of the frame header: SOF0 … SOF15 but for DHT, JPG and DAC.
std::optional<cv::Size> jpeg_size(std::string_view bytes) {
  const auto at = find_jpeg_marker(bytes, [](unsigned char marker) {
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
  });
  if (!at) return std::nullopt;
  return size_of(big_endian(bytes, *at + 7, 2), big_endian(bytes, *at + 5, 2));
}

/// OpenCV makes the rest of a JPEG that ends early gray and says nothing. Its end has a marker that occurs nowhere else
/// behind the start of the scan.
bool ends_early(std::string_view bytes) {
  if (!bytes.starts_with("\xff\xd8")) return false;
  const auto scan = find_jpeg_marker(bytes, [](unsigned char marker) { return marker == 0xda; });
  return !scan || bytes.find("\xff\xd9", *scan) == std::string_view::npos;
}

std::uint32_t little_endian(std::string_view bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = count; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

/// Of the first chunk: an extended file's canvas, or the frame's header, lossless or lossy (RFC 9649, 2.5 to 2.7; RFC
/// 6386, 9.1).
std::optional<cv::Size> webp_size(std::string_view bytes) {
  if (bytes.size() < 30) return std::nullopt;
  const std::string_view chunk = bytes.substr(12, 4);
  if (chunk == "VP8X") return size_of(little_endian(bytes, 24, 3) + 1, little_endian(bytes, 27, 3) + 1);
  if (chunk == "VP8L" && bytes[20] == '\x2f') {
    const std::uint32_t sides = little_endian(bytes, 21, 4);
    return size_of((sides & 0x3fff) + 1, (sides >> 14 & 0x3fff) + 1);
  }
  if (chunk == "VP8 " && bytes.substr(23, 3) == "\x9d\x01\x2a") {
    return size_of(little_endian(bytes, 26, 2) & 0x3fff, little_endian(bytes, 28, 2) & 0x3fff);
  }
  return std::nullopt;
}

}  // namespace

std::optional<cv::Size> claimed_size(std::string_view bytes) {
  constexpr std::string_view png("\x89PNG\r\n\x1a\n", 8);
  if (bytes.starts_with(png) && bytes.size() >= 24 && bytes.substr(12, 4) == "IHDR") {
    return size_of(big_endian(bytes, 16, 4), big_endian(bytes, 20, 4));
  }
  if (bytes.starts_with("\xff\xd8")) return jpeg_size(bytes);
  if (bytes.starts_with("RIFF") && bytes.substr(0, 12).ends_with("WEBP")) return webp_size(bytes);
  return std::nullopt;
}

cv::Mat read_image(const std::filesystem::path& file) {
  const std::string bytes = read_file(file, largest_file);
  const auto refuse = [&](const std::string& reason) { throw DataError(printable(file.string()) + ": " + reason); };
  const auto size = claimed_size(bytes);
  if (!size) refuse("this is no PNG, JPEG or WebP image");
  if (std::int64_t{size->width} * size->height > most_pixels) {
    refuse(format_text("{} x {} pixels are more than the 12 megapixels that are read", size->width, size->height));
  }
  if (ends_early(bytes)) refuse("the image is damaged: it ends early");
  cv::Mat image;
  try {
    const cv::Mat raw(1, static_cast<int>(bytes.size()), CV_8U, const_cast<char*>(bytes.data()));
    image = cv::imdecode(raw, cv::IMREAD_ANYCOLOR);
  } catch (const cv::Exception&) {  // said in one line below
  }
  if (image.empty() || (image.type() != CV_8UC1 && image.type() != CV_8UC3)) refuse("the image is damaged");
  return image;
}

}  // namespace slopegan
