#include <algorithm>
#include <array>
#include <iostream>
#include <optional>
#include <streambuf>
#include <utility>
#include <vector>

#include <opencv2/imgcodecs.hpp>

#include "images/decoders.h"
#include "images/image_builder.h"
#include "images/image_header.h"
#include "images/tiff_reader.h"
#include "support/bytes.h"
#include "support/text.h"

namespace slopegan {

namespace {

/// Discards everything that is written to it.
class NullBuffer : public std::streambuf {
  int overflow(int character) override { return traits_type::not_eof(character); }
  std::streamsize xsputn(const char*, std::streamsize count) override { return count; }
};

/// Silences std::cerr while at least one object of this class exists. OpenCV would otherwise report each file that it
/// cannot decode.
class SilentErrors {
 public:
  SilentErrors() {
    const std::lock_guard lock(mutex());
    if (++count() == 1) former() = std::cerr.rdbuf(&null());
  }
  SilentErrors(const SilentErrors&) = delete;
  SilentErrors& operator=(const SilentErrors&) = delete;
  ~SilentErrors() {
    const std::lock_guard lock(mutex());
    if (--count() == 0) std::cerr.rdbuf(former());
  }

 private:
  static std::mutex& mutex() {
    static std::mutex instance;
    return instance;
  }
  static int& count() {
    static int instance = 0;
    return instance;
  }
  static std::streambuf*& former() {
    static std::streambuf* instance = nullptr;
    return instance;
  }
  static NullBuffer& null() {
    static NullBuffer instance;
    return instance;
  }
};

/// Returns an empty image if OpenCV cannot decode the bytes.
cv::Mat decode_whole(const std::string& bytes) {
  const SilentErrors silence;
  const cv::Mat raw(1, static_cast<int>(bytes.size()), CV_8U, const_cast<char*>(bytes.data()));
  try {
    return cv::imdecode(raw, cv::IMREAD_UNCHANGED);
  } catch (const cv::Exception&) {
    return {};
  }
}

// --- WebP ------------------------------------------------------------------------------------------------------------

struct WebPOutline {
  int orientation = 1;
  std::int64_t frames = 0;  // 0 for a still image
  cv::Rect frame;           // the area of the first frame of an animation
  std::string chunks;       // the image data of this frame
};

std::string riff(const std::string& chunks) {
  std::string file = "RIFF";
  append_little_endian(file, chunks.size() + 4, 4);
  return file + "WEBP" + chunks;
}

/// Stores the frame's area, and its chunks in the form of a still image. A frame with an ALPH chunk needs the extended
/// format (RFC 9649, section 2.7).
void read_webp_frame(std::string_view frame, WebPOutline& outline) {
  if (frame.size() < 16) return;
  const auto field = [&](std::size_t at) { return static_cast<int>(little_endian(frame.substr(at, 3))); };
  outline.frame = {2 * field(0), 2 * field(3), field(6) + 1, field(9) + 1};
  const std::string data(frame.substr(16));
  if (data.starts_with("ALPH")) {
    outline.chunks = std::string("VP8X\x0a\0\0\0\x10\0\0\0", 12);
    append_little_endian(outline.chunks, static_cast<std::uint64_t>(outline.frame.width - 1), 3);
    append_little_endian(outline.chunks, static_cast<std::uint64_t>(outline.frame.height - 1), 3);
  }
  outline.chunks += data;
}

WebPOutline webp_outline(std::string_view bytes) {
  WebPOutline outline;
  visit_webp_chunks(bytes, [&](std::string_view type, std::string_view data) {
    if (type == "EXIF") outline.orientation = exif_orientation(data);
    if (type == "ANMF" && outline.frames++ == 0) read_webp_frame(data, outline);
    return true;
  });
  return outline;
}

/// Corrects the declared length if the file is shorter. Returns whether the length was corrected. libwebp rejects files
/// that are too short, even if only metadata are missing.
bool correct_webp_length(std::string& bytes) {
  if (little_endian(std::string_view(bytes).substr(4, 4)) <= bytes.size() - 8) return false;
  std::string length;
  append_little_endian(length, bytes.size() - 8, 4);
  bytes.replace(4, 4, length);
  return true;
}

cv::Mat decode_webp(std::string& bytes, const WebPOutline& outline, cv::Size canvas) {
  if (outline.frames == 0) return decode_whole(bytes);
  const cv::Mat frame = decode_whole(riff(outline.chunks));
  if (frame.empty() || (outline.frame & cv::Rect({0, 0}, canvas)) != outline.frame ||
      frame.size() != outline.frame.size()) {
    return {};
  }
  if (frame.size() == canvas) return frame;
  cv::Mat whole = cv::Mat::zeros(canvas, CV_8UC4);
  for (int y = 0; y < frame.rows; ++y) {
    for (int x = 0; x < frame.cols; ++x) {
      const std::uint8_t* from = frame.ptr(y) + x * frame.channels();
      whole.at<cv::Vec4b>(outline.frame.y + y, outline.frame.x + x) = {
          from[0], from[1], from[2], frame.channels() == 4 ? from[3] : std::uint8_t{255}};
    }
  }
  return whole;
}

// --- TIFF ------------------------------------------------------------------------------------------------------------

struct TiffOutline {
  std::uint64_t bytes_per_pixel = 4;
  bool has_next = false;
  bool has_alpha = false;
  bool premultiplied = false;  // OpenCV returns colours that are multiplied by alpha
};

TiffOutline tiff_outline(std::string_view bytes) {
  const TiffDirectory directory(bytes);
  const auto bits = directory.value(258).value_or(1), samples = directory.value(277).value_or(1);
  if (bits > 16) report_unsupported(std::to_string(bits) + " bits per channel (at most 16 are supported)");
  if (samples > 4) report_unsupported(std::to_string(samples) + " channels (at most 4 are supported)");
  if (bits == 16 && directory.value(262) == 0u) {
    report_unsupported("16-bit pixels in which 0 is white");
  }
  TiffOutline outline;
  outline.bytes_per_pixel = std::max<std::uint64_t>(4, samples * bits / 8);
  outline.has_next = directory.has_next();
  const auto extra = directory.value(338);  // 1: premultiplied alpha, 2: unassociated alpha, 0: other data
  outline.has_alpha = extra == 1u || extra == 2u;
  outline.premultiplied = extra == 1u || bits <= 8;
  return outline;
}

cv::Mat decode_tiff(const std::string& bytes, TiffReader& reader, ImageFacts& facts) {
  if (reader.has_deep_planes()) return reader.read_deep_planes(facts.size, facts.complaint);
  facts.complaint = reader.check();
  return decode_whole(bytes);
}

// --- BMP -------------------------------------------------------------------------------------------------------------

/// Whether the fourth byte of a pixel in a BMP file is alpha. Headers of fewer than 56 bytes have no mask for it, and
/// many files with larger headers set the mask to 0; the byte is then unused and usually 0.
bool has_bmp_alpha(std::string_view bytes) {
  constexpr std::size_t alpha_mask = 66;
  return bytes.size() >= alpha_mask + 4 && little_endian(bytes.substr(14, 4)) >= 56 &&
         little_endian(bytes.substr(alpha_mask, 4)) != 0;
}

/// The byte of a pixel that a mask in a BMP file selects, or std::nullopt if it does not select a whole byte.
std::optional<std::size_t> masked_byte(std::uint64_t mask) {
  for (std::size_t byte = 0; byte < 4; ++byte) {
    if (mask == std::uint64_t{0xff} << (8 * byte)) return byte;
  }
  return std::nullopt;
}

/// Reorders the bytes of 32-bit pixels to blue, green, red, alpha. OpenCV expects this order regardless of the masks if
/// the header has fewer than 56 bytes; some versions expect it in every file.
void apply_bmp_masks(std::string& bytes) {
  constexpr std::size_t red = 54, green = 58, blue = 62, alpha = 66;  // offsets of the masks
  const auto field = [&](std::size_t at, std::size_t size) {
    return little_endian(std::string_view(bytes).substr(at, size));
  };
  if (bytes.size() < alpha + 4 || field(14, 4) < 40 || field(28, 2) != 32) return;
  if (field(30, 4) == 6) report_unsupported("BMP files with compression 6 (BI_ALPHABITFIELDS)");
  if (field(30, 4) != 3) return;  // there are no masks
  std::vector<std::size_t> masks = {blue, green, red}, sources;
  if (has_bmp_alpha(bytes)) masks.push_back(alpha);
  for (const auto mask : masks) {
    if (const auto byte = masked_byte(field(mask, 4))) sources.push_back(*byte);
  }
  if (sources.size() < masks.size()) {
    if (field(14, 4) >= 56) return;  // OpenCV converts such pixels
    report_unsupported(
        format_text("BMP pixels with the masks {:#010x}, {:#010x} and {:#010x} (each mask must select a whole byte)",
                    field(red, 4), field(green, 4), field(blue, 4)));
  }
  for (std::size_t i = 0; i < masks.size(); ++i) {
    std::string mask;
    append_little_endian(mask, std::uint64_t{0xff} << (8 * i), 4);
    bytes.replace(masks[i], 4, mask);
  }
  // The header of a damaged file may say that the pixels start before the end of the masks.
  const std::size_t first = std::max<std::size_t>(field(10, 4), alpha);
  for (std::size_t at = first; at + 4 <= bytes.size(); at += 4) {
    const std::array<char, 4> pixel = {bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]};
    for (std::size_t i = 0; i < sources.size(); ++i) bytes[at + i] = pixel[sources[i]];
  }
}

// ---------------------------------------------------------------------------------------------------------------------

/// Removes the fourth channel.
void remove_alpha(cv::Mat& image) {
  if (image.channels() != 4) return;
  cv::Mat colours(image.size(), CV_MAKETYPE(image.depth(), 3));
  cv::mixChannels({image}, {colours}, {0, 0, 1, 1, 2, 2});
  image = colours;
}

void check_type(const cv::Mat& image) {
  if (image.empty()) report_bad_image("");
  if (image.depth() != CV_8U && image.depth() != CV_16U)
    report_unsupported("pixels that are not 8-bit or 16-bit integers");
  if (image.channels() == 2 || image.channels() > 4) report_unsupported("images that do not have 1, 3 or 4 channels");
}

}  // namespace

DecodedImage decode_with_opencv(std::string& bytes, ImageFormat format, const DecodeOptions& options) {
  const auto size = declared_size(bytes);
  if (!size) report_bad_image("");
  DecodedImage result;
  result.facts.size = *size;
  result.facts.reduction = reduction_of(*size, options);
  WebPOutline webp;
  TiffOutline tiff;
  std::optional<TiffReader> tiff_reader;
  if (format == ImageFormat::webp) webp = webp_outline(bytes);
  if (format == ImageFormat::bmp) apply_bmp_masks(bytes);
  if (format == ImageFormat::tiff) {
    tiff = tiff_outline(bytes);
    tiff_reader.emplace(bytes);
  }
  const WholeImageMemory memory(std::max(
      static_cast<std::uint64_t>(size->width) * static_cast<std::uint64_t>(size->height) * tiff.bytes_per_pixel,
      tiff_reader ? tiff_reader->block_bytes() : 0));
  if (format == ImageFormat::webp) result.facts.lacks_end = correct_webp_length(bytes);
  cv::Mat image = format == ImageFormat::webp ? decode_webp(bytes, webp, *size)
                  : tiff_reader               ? decode_tiff(bytes, *tiff_reader, result.facts)
                                              : decode_whole(bytes);
  check_type(image);
  result.facts.size = image.size();  // OpenCV turns TIFF images upright
  if (format == ImageFormat::tiff && !tiff.has_alpha) remove_alpha(image);
  if (format == ImageFormat::bmp && !has_bmp_alpha(bytes)) remove_alpha(image);
  result.facts.is_animation = webp.frames > 1 || tiff.has_next;
  build_image(image, format == ImageFormat::tiff && tiff.premultiplied, result.facts.reduction, options, result);
  apply_orientation(result.image, webp.orientation);
  if (webp.orientation >= 5) std::swap(result.facts.size.width, result.facts.size.height);
  return result;
}

}  // namespace slopegan
