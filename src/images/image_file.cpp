#include "images/image_file.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <set>
#include <stdexcept>
#include <vector>

#include <opencv2/imgcodecs.hpp>

#include "images/decoders.h"
#include "images/image_header.h"
#include "support/bytes.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr std::size_t max_file_size = std::size_t{256} << 20;
/// Decoding, cropping and resizing 12 megapixels in float32 takes about 200 MiB.
constexpr std::int64_t max_decoded_pixels = std::int64_t{12} << 20;
constexpr std::int64_t max_pixels = std::int64_t{256} << 20;
constexpr int max_reduction = 8;
constexpr std::uint64_t max_whole_bytes = std::uint64_t{384} << 20, shared_whole_bytes = std::uint64_t{64} << 20;

/// OpenCV silently fills the missing part of a truncated JPEG with gray. A complete file has an end-of-image marker
/// after the start of the scan, where these two bytes have no other meaning. Stray bytes before the scan are rejected,
/// as in version 0.9.
bool is_truncated_jpeg(std::string_view bytes) {
  if (!bytes.starts_with("\xff\xd8")) return false;
  const auto scan = find_jpeg_marker(bytes, StrayBytes::reject, [](unsigned char marker) { return marker == 0xda; });
  return !scan || bytes.find("\xff\xd9", *scan) == std::string_view::npos;
}

/// Also checks the size of the DIB header, which identifies the version of a BMP file, because any text may begin with
/// the letters BM.
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

}  // namespace

bool has_image_extension(const std::filesystem::path& file) {
  static const std::set<std::string, std::less<>> extensions = {".png", ".jpg", ".jpeg", ".jpe",  ".jfif", ".webp",
                                                                ".bmp", ".dib", ".tif",  ".tiff", ".gif"};
  return extensions.contains(lower_case(file.extension().string()));
}

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

std::string read_first_bytes(const std::filesystem::path& file) {
  std::error_code ignored;
  // Opening a FIFO would block until a writer opens it.
  if (!std::filesystem::is_regular_file(file, ignored)) return "";
  std::ifstream stream(file, std::ios::binary);
  std::string bytes(sniffed_bytes, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(stream.gcount(), 0)));
  return bytes;
}

bool can_be_read(const std::filesystem::path& file) {
  try {
    static_cast<void>(read_file(file, max_file_size));
    return true;
  } catch (const IoError&) {
    return false;
  }
}

bool is_deep_file(const std::filesystem::path& file) {
  constexpr std::uint16_t bits_per_sample = 258;
  const std::string start = read_first_bytes(file);
  const auto format = sniff_format(start);
  if (format == ImageFormat::png) return start.size() > 24 && start[24] == 16;
  if (format != ImageFormat::tiff) return false;
  try {
    return TiffDirectory(read_file(file, max_file_size)).value(bits_per_sample) == 16u;
  } catch (const IoError&) {
    return false;
  }
}

std::optional<ImageFormat> sniff_file(const std::filesystem::path& file) {
  const auto format = sniff_format(read_first_bytes(file));
  const bool may_be_raw = !file.extension().empty() && !has_image_extension(file);
  return format == ImageFormat::tiff && may_be_raw ? std::nullopt : format;
}

void report_bad_image(const std::string& reason) {
  throw DataError("the image is damaged" + (reason.empty() ? "" : ": " + printable(reason)));
}

void report_unsupported(const std::string& what) { throw DataError("not supported: " + printable(what)); }

int reduction_of(cv::Size size, const DecodeOptions& options) {
  if (std::int64_t{size.width} * size.height > max_pixels) {
    throw TooLargeError(
        format_text("{} x {} pixels exceed the limit of {} megapixels", size.width, size.height, max_pixels >> 20));
  }
  const auto pixels = [&](int reduction) {
    return (std::int64_t{size.width} + reduction - 1) / reduction * ((size.height + reduction - 1) / reduction);
  };
  int reduction = 1;
  while (options.reduce && reduction < max_reduction && pixels(reduction) > max_decoded_pixels) reduction *= 2;
  return reduction;
}

WholeImageMemory::WholeImageMemory(std::uint64_t bytes) {
  static std::mutex mutex;
  if (bytes > max_whole_bytes) {
    throw TooLargeError(
        format_text("an image of this kind is decoded as a whole, which takes {} MiB and exceeds the limit "
                    "of {} MiB",
                    bytes >> 20, max_whole_bytes >> 20));
  }
  if (bytes > shared_whole_bytes) lock_ = std::unique_lock(mutex);
}

namespace {

DecodedImage decode_bytes(std::string& bytes, const DecodeOptions& options) {
  const auto format = sniff_format(bytes);
  if (bytes.empty()) throw DataError("the file is empty");
  if (!format) throw DataError("not a PNG, JPEG, WebP, BMP, TIFF or GIF image");
  const auto size = declared_size(bytes);
  if (!size) report_bad_image("its header declares no size");
  static_cast<void>(reduction_of(*size, options));  // rejects huge images before they are decoded
  switch (*format) {
    case ImageFormat::png:
      return decode_png(bytes, options);
    case ImageFormat::jpeg:
      return decode_jpeg(bytes, options);
    case ImageFormat::gif:
      return decode_gif(bytes, options);
    case ImageFormat::webp:
    case ImageFormat::bmp:
    case ImageFormat::tiff:
      return decode_with_opencv(bytes, *format, options);
  }
  throw std::logic_error("unknown ImageFormat");
}

}  // namespace

DecodedImage decode_image(const std::filesystem::path& file, const DecodeOptions& options) {
  const std::string name = printable(file.string());
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  if (!error && size > max_file_size) {
    throw TooLargeError(
        format_text("{}: the file size of {} MiB exceeds the limit of {} MiB", name, size >> 20, max_file_size >> 20));
  }
  std::string bytes = read_file(file, max_file_size);
  try {
    return decode_bytes(bytes, options);
  } catch (const TooLargeError& problem) {
    throw TooLargeError(name + ": " + problem.what());
  } catch (const DataError& problem) {
    throw DataError(name + ": " + problem.what());
  }
}

cv::Mat read_image(const std::filesystem::path& file) { return decode_image(file).image; }

cv::Mat read_grid(const std::filesystem::path& file) {
  DecodeOptions options;
  options.reduce = false;
  return decode_image(file, options).image;
}

cv::Mat read_image_as_in_0_9(const std::filesystem::path& file) {
  const std::string bytes = read_file(file, max_file_size);
  const auto refuse = [&](const std::string& reason) { throw DataError(printable(file.string()) + ": " + reason); };
  const auto format = sniff_format(bytes);
  const bool is_known = format == ImageFormat::png || format == ImageFormat::jpeg || format == ImageFormat::webp;
  const auto size = is_known ? declared_size(bytes) : std::nullopt;
  if (!size) refuse("not a PNG, JPEG or WebP image");
  if (std::int64_t{size->width} * size->height > max_decoded_pixels) {
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
