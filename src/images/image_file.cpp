#include "images/image_file.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <vector>

#include <opencv2/imgcodecs.hpp>

#include "support/bytes.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr std::size_t max_file_size = std::size_t{256} << 20;
/// 12 megapixels. Decoding, cropping and resizing such an image in float32 takes about 200 MiB.
constexpr std::int64_t max_pixels = std::int64_t{12} << 20;

std::optional<cv::Size> size_of(std::uint64_t width, std::uint64_t height) {
  if (width == 0 || height == 0 || width > INT32_MAX || height > INT32_MAX) return std::nullopt;
  return cv::Size(static_cast<int>(width), static_cast<int>(height));
}

/// Offset of the first marker for which `wanted` returns true. Skips the segments before it by their declared lengths
/// (ITU-T T.81, B.1.1).
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
      at += 2 + big_endian(bytes.substr(at + 2, 2));
    }
  }
  return std::nullopt;
}

/// Size from the frame header: SOF0 to SOF15, except the codes of DHT, JPG and DAC.
std::optional<cv::Size> jpeg_size(std::string_view bytes) {
  const auto at = find_jpeg_marker(bytes, [](unsigned char marker) {
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
  });
  if (!at) return std::nullopt;
  return size_of(big_endian(bytes.substr(*at + 7, 2)), big_endian(bytes.substr(*at + 5, 2)));
}

/// OpenCV silently fills the missing part of a truncated JPEG with gray. A complete file has an end-of-image marker
/// after the start of the scan, where its bytes cannot occur otherwise.
bool is_truncated_jpeg(std::string_view bytes) {
  if (!bytes.starts_with("\xff\xd8")) return false;
  const auto scan = find_jpeg_marker(bytes, [](unsigned char marker) { return marker == 0xda; });
  return !scan || bytes.find("\xff\xd9", *scan) == std::string_view::npos;
}

/// Size from the first chunk: the canvas of an extended file, or the header of a lossless or lossy frame (RFC 9649,
/// sections 2.5 to 2.7; RFC 6386, section 9.1).
std::optional<cv::Size> webp_size(std::string_view bytes) {
  if (bytes.size() < 30) return std::nullopt;
  const std::string_view chunk = bytes.substr(12, 4);
  if (chunk == "VP8X") return size_of(little_endian(bytes.substr(24, 3)) + 1, little_endian(bytes.substr(27, 3)) + 1);
  if (chunk == "VP8L" && bytes[20] == '\x2f') {
    const std::uint64_t sides = little_endian(bytes.substr(21, 4));
    return size_of((sides & 0x3fff) + 1, (sides >> 14 & 0x3fff) + 1);
  }
  if (chunk == "VP8 " && bytes.substr(23, 3) == "\x9d\x01\x2a") {
    return size_of(little_endian(bytes.substr(26, 2)) & 0x3fff, little_endian(bytes.substr(28, 2)) & 0x3fff);
  }
  return std::nullopt;
}

/// A BMP file declares the size of its second header, which tells its version. The two letters alone may begin a text.
bool is_bmp(std::string_view bytes) {
  if (!bytes.starts_with("BM") || bytes.size() < 18) return false;
  const auto header = little_endian(bytes.substr(14, 4));
  return header == 12 || (header >= 40 && header <= 124 && header % 4 == 0);
}

bool is_tiff(std::string_view bytes) {
  using namespace std::string_view_literals;
  if (bytes.size() > 10 && bytes.substr(8, 2) == "CR") return false;  // Canon's raw files
  return bytes.starts_with("II*\0"sv) || bytes.starts_with("MM\0*"sv);
}

bool has_tiff_name(const std::filesystem::path& file) {
  std::string extension = file.extension().string();
  for (auto& letter : extension) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return extension.empty() || extension == ".tif" || extension == ".tiff" || extension == ".png" ||
         extension == ".jpg" || extension == ".jpeg" || extension == ".bmp" || extension == ".webp";
}

}  // namespace

std::string_view format_name(ImageFormat format) {
  switch (format) {
    case ImageFormat::png:
      return "PNG";
    case ImageFormat::jpeg:
      return "JPEG";
    case ImageFormat::webp:
      return "WebP";
    case ImageFormat::bmp:
      return "BMP";
    case ImageFormat::tiff:
      return "TIFF";
    case ImageFormat::gif:
      return "GIF";
  }
  throw std::logic_error("unknown ImageFormat");
}

std::optional<ImageFormat> sniff_format(std::string_view first_bytes) {
  if (first_bytes.starts_with("\x89PNG\r\n\x1a\n")) return ImageFormat::png;
  if (first_bytes.starts_with("\xff\xd8\xff")) return ImageFormat::jpeg;
  if (first_bytes.starts_with("RIFF") && first_bytes.substr(0, 12).ends_with("WEBP")) return ImageFormat::webp;
  if (first_bytes.starts_with("GIF87a") || first_bytes.starts_with("GIF89a")) return ImageFormat::gif;
  if (is_bmp(first_bytes)) return ImageFormat::bmp;
  if (is_tiff(first_bytes)) return ImageFormat::tiff;
  return std::nullopt;
}

std::optional<ImageFormat> sniff_file(const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored))
    return std::nullopt;  // opening a pipe would wait for its writer
  std::ifstream stream(file, std::ios::binary);
  std::string bytes(sniffed_bytes, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(stream.gcount(), 0)));
  const auto format = sniff_format(bytes);
  return format == ImageFormat::tiff && !has_tiff_name(file) ? std::nullopt : format;
}

std::optional<cv::Size> declared_size(std::string_view bytes) {
  constexpr std::string_view png("\x89PNG\r\n\x1a\n", 8);
  if (bytes.starts_with(png) && bytes.size() >= 24 && bytes.substr(12, 4) == "IHDR") {
    return size_of(big_endian(bytes.substr(16, 4)), big_endian(bytes.substr(20, 4)));
  }
  if (bytes.starts_with("\xff\xd8")) return jpeg_size(bytes);
  if (bytes.starts_with("RIFF") && bytes.substr(0, 12).ends_with("WEBP")) return webp_size(bytes);
  return std::nullopt;
}

cv::Mat read_image(const std::filesystem::path& file) {
  const std::string bytes = read_file(file, max_file_size);
  const auto refuse = [&](const std::string& reason) { throw DataError(printable(file.string()) + ": " + reason); };
  const auto size = declared_size(bytes);
  if (!size) refuse("not a PNG, JPEG or WebP image");
  if (std::int64_t{size->width} * size->height > max_pixels) {
    refuse(format_text("{} x {} pixels exceed the limit of 12 megapixels", size->width, size->height));
  }
  if (is_truncated_jpeg(bytes)) refuse("the image is damaged: the file is truncated");
  cv::Mat image;
  try {
    const cv::Mat raw(1, static_cast<int>(bytes.size()), CV_8U, const_cast<char*>(bytes.data()));
    image = cv::imdecode(raw, cv::IMREAD_ANYCOLOR);
  } catch (const cv::Exception&) {  // reported below as a damaged image
  }
  if (image.empty() || (image.type() != CV_8UC1 && image.type() != CV_8UC3)) refuse("the image is damaged");
  return image;
}

std::string encode_png(const cv::Mat& image) {
  if (image.empty() || (image.type() != CV_8UC1 && image.type() != CV_8UC3)) {
    throw std::invalid_argument("encode_png: expected an 8-bit gray or BGR image");
  }
  std::vector<std::uint8_t> bytes;
  if (!cv::imencode(".png", image, bytes)) throw std::runtime_error("encode_png: OpenCV cannot encode the image");
  return {bytes.begin(), bytes.end()};
}

void write_png(const std::filesystem::path& file, const cv::Mat& image, Sync sync) {
  write_file_atomic(file, encode_png(image), sync);
}

}  // namespace slopegan
