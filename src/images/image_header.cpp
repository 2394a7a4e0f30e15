#include "images/image_header.h"

#include <algorithm>

#include "images/image_file.h"
#include "support/bytes.h"

namespace slopegan {

namespace {

constexpr std::size_t png_signature_size = 8, tiff_entry_size = 12;

std::optional<cv::Size> size_of(std::uint64_t width, std::uint64_t height) {
  if (width == 0 || height == 0 || width > INT32_MAX || height > INT32_MAX) return std::nullopt;
  return cv::Size(static_cast<int>(width), static_cast<int>(height));
}

/// Size from the frame header: SOF0 to SOF15, except the codes of DHT, JPG and DAC.
std::optional<cv::Size> jpeg_size(std::string_view bytes) {
  const auto at = find_jpeg_marker(bytes, StrayBytes::skip, [](unsigned char marker) {
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
  });
  if (!at) return std::nullopt;
  return size_of(big_endian(bytes.substr(*at + 7, 2)), big_endian(bytes.substr(*at + 5, 2)));
}

std::optional<cv::Size> png_size(std::string_view bytes) {
  if (bytes.size() < 24 || bytes.substr(12, 4) != "IHDR") return std::nullopt;
  return size_of(big_endian(bytes.substr(16, 4)), big_endian(bytes.substr(20, 4)));
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

/// The height is negative if the rows are stored from top to bottom.
std::optional<cv::Size> bmp_size(std::string_view bytes) {
  if (bytes.size() < 26) return std::nullopt;
  if (little_endian(bytes.substr(14, 4)) == 12) {
    return size_of(little_endian(bytes.substr(18, 2)), little_endian(bytes.substr(20, 2)));
  }
  const auto height = static_cast<std::int32_t>(little_endian(bytes.substr(22, 4)));
  return size_of(little_endian(bytes.substr(18, 4)), static_cast<std::uint64_t>(std::abs(std::int64_t{height})));
}

std::optional<cv::Size> tiff_size(std::string_view bytes) {
  const TiffDirectory directory(bytes);
  return size_of(directory.value(256).value_or(0), directory.value(257).value_or(0));
}

std::optional<cv::Size> gif_size(std::string_view bytes) {
  if (bytes.size() < 10) return std::nullopt;
  return size_of(little_endian(bytes.substr(6, 2)), little_endian(bytes.substr(8, 2)));
}

}  // namespace

std::optional<cv::Size> declared_size(std::string_view bytes) {
  const auto format = sniff_format(bytes);
  if (!format) return std::nullopt;
  switch (*format) {
    case ImageFormat::png:
      return png_size(bytes);
    case ImageFormat::jpeg:
      return jpeg_size(bytes);
    case ImageFormat::webp:
      return webp_size(bytes);
    case ImageFormat::bmp:
      return bmp_size(bytes);
    case ImageFormat::tiff:
      return tiff_size(bytes);
    case ImageFormat::gif:
      return gif_size(bytes);
  }
  return std::nullopt;
}

std::optional<std::size_t> find_jpeg_marker(std::string_view bytes, StrayBytes stray,
                                            const std::function<bool(unsigned char)>& wanted) {
  const bool skip_stray = stray == StrayBytes::skip;
  for (std::size_t at = 2; at + 9 <= bytes.size();) {
    if (bytes[at] != '\xff') {
      if (!skip_stray) return std::nullopt;
      ++at;
      continue;
    }
    const auto marker = static_cast<unsigned char>(bytes[at + 1]);
    if (marker == 0xff || (marker == 0 && skip_stray)) {  // a fill byte; 0xff 0x00 is not a marker
      ++at;
    } else if (wanted(marker)) {
      return at;
    } else {
      at += 2 + big_endian(bytes.substr(at + 2, 2));
    }
  }
  return std::nullopt;
}

void visit_png_chunks(std::string_view bytes, const std::function<bool(const PngChunk&)>& visit) {
  for (std::size_t at = png_signature_size; at + 8 <= bytes.size();) {
    const std::size_t length = big_endian(bytes.substr(at, 4));
    const PngChunk chunk{bytes.substr(at + 4, 4), bytes.substr(at + 8, length), at + 12 + length <= bytes.size()};
    if (!visit(chunk) || !chunk.is_whole) return;
    at += 12 + length;
  }
}

void visit_webp_chunks(std::string_view bytes,
                       const std::function<bool(std::string_view type, std::string_view data)>& visit) {
  for (std::size_t at = 12; at + 8 <= bytes.size();) {
    const std::size_t length = little_endian(bytes.substr(at + 4, 4));
    if (!visit(bytes.substr(at, 4), bytes.substr(at + 8, length))) return;
    at += 8 + length + length % 2;
  }
}

TiffDirectory::TiffDirectory(std::string_view bytes) : bytes_(bytes), big_endian_(bytes.starts_with("MM")) {
  const std::uint64_t at = number(4, 4);
  if (at < 8 || at + 2 > bytes.size()) return;
  entries_ = static_cast<std::size_t>(at) + 2;
  count_ = static_cast<std::size_t>(number(static_cast<std::size_t>(at), 2));
  count_ = std::min(count_, (bytes.size() - entries_) / tiff_entry_size);
}

std::uint64_t TiffDirectory::number(std::size_t at, std::size_t size) const {
  if (at > bytes_.size() || size > bytes_.size() - at) return 0;
  return big_endian_ ? big_endian(bytes_.substr(at, size)) : little_endian(bytes_.substr(at, size));
}

std::optional<std::uint64_t> TiffDirectory::value(std::uint16_t tag) const {
  for (std::size_t i = 0; i < count_; ++i) {
    const std::size_t at = entries_ + i * tiff_entry_size;
    if (number(at, 2) != tag) continue;
    const std::uint64_t type = number(at + 2, 2), values = number(at + 4, 4);
    const std::size_t size = type == 1 ? 1 : type == 3 ? 2 : type == 4 ? 4 : 0;
    if (size == 0 || values == 0) return std::nullopt;
    const bool is_inside = size * values <= 4;
    return number(is_inside ? at + 8 : static_cast<std::size_t>(number(at + 8, 4)), size);
  }
  return std::nullopt;
}

bool TiffDirectory::has_next() const { return count_ > 0 && number(entries_ + count_ * tiff_entry_size, 4) != 0; }

int exif_orientation(std::string_view exif) {
  if (exif.starts_with(std::string_view("Exif\0\0", 6))) exif.remove_prefix(6);
  if (!exif.starts_with("II") && !exif.starts_with("MM")) return 1;
  const auto orientation = TiffDirectory(exif).value(0x112).value_or(1);
  return orientation >= 1 && orientation <= 8 ? static_cast<int>(orientation) : 1;
}

void apply_orientation(cv::Mat& image, int orientation) {
  cv::Mat upright;
  if (orientation >= 5) {  // stored on its side
    cv::transpose(image, upright);
    image = upright;
  }
  const bool mirrored = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  const bool upside_down = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  if (!mirrored && !upside_down) return;
  cv::flip(image, upright, mirrored && upside_down ? -1 : mirrored ? 1 : 0);
  image = upright;
}

}  // namespace slopegan
