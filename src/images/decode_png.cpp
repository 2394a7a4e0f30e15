#include <bit>
#include <csetjmp>
#include <cstring>
#include <new>
#include <optional>
#include <png.h>
#include <utility>
#include <vector>

#include <zlib.h>

#include "images/decoders.h"
#include "images/image_builder.h"
#include "images/image_header.h"

namespace slopegan {

namespace {

/// Facts that libpng would report only after it has read the pixels, or not at all. They are read from the chunks.
struct PngOutline {
  bool has_end = false;
  bool ends_inside_pixels = false;
  std::int64_t images = 0;  // number of frames of an animation, plus 1 if the still image is not a frame
  int orientation = 1;
};

PngOutline png_outline(std::string_view bytes) {
  PngOutline outline;
  visit_png_chunks(bytes, [&](const PngChunk& chunk) {
    if (chunk.type == "IEND") outline.has_end = true;
    if (chunk.type == "fcTL" || (chunk.type == "IDAT" && outline.images == 0)) ++outline.images;
    if (chunk.type == "IDAT") outline.ends_inside_pixels = !chunk.is_whole;
    if (chunk.type == "eXIf") outline.orientation = exif_orientation(chunk.data);
    return !outline.has_end;
  });
  return outline;
}

/// Whether the compressed pixels that a truncated file contains expand to `expected` bytes.
bool contains_all_pixels(std::string_view bytes, std::uint64_t expected) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) throw std::bad_alloc();
  std::vector<Bytef> out(std::size_t{1} << 16);
  int status = Z_OK;
  visit_png_chunks(bytes, [&](const PngChunk& chunk) {
    if (chunk.type != "IDAT") return true;
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(chunk.data.data()));
    stream.avail_in = static_cast<uInt>(chunk.data.size());
    do {
      stream.next_out = out.data();
      stream.avail_out = static_cast<uInt>(out.size());
      status = inflate(&stream, Z_NO_FLUSH);
    } while (status == Z_OK && (stream.avail_in > 0 || stream.avail_out == 0));
    return status == Z_OK || status == Z_BUF_ERROR;
  });
  const std::uint64_t found = stream.total_out;
  inflateEnd(&stream);
  return found >= expected;
}

class PngDecoder {
 public:
  PngDecoder(std::string_view bytes, const DecodeOptions& options)
      : bytes_(bytes), options_(options), outline_(png_outline(bytes)) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) throw std::bad_alloc();
    png_set_read_fn(png_, this, read);
    png_set_benign_errors(png_, 1);
    png_set_crc_action(png_, PNG_CRC_DEFAULT, PNG_CRC_WARN_DISCARD);
    png_set_option(png_, PNG_IGNORE_ADLER32, PNG_OPTION_ON);  // the checksums of the chunks suffice
  }
  PngDecoder(const PngDecoder&) = delete;
  PngDecoder& operator=(const PngDecoder&) = delete;
  ~PngDecoder() { png_destroy_read_struct(&png_, &info_, nullptr); }

  DecodedImage decode() {
    guarded([](PngDecoder& self) { self.read_header(); });
    DecodedImage result;
    result.facts.size = {static_cast<int>(png_get_image_width(png_, info_)),
                         static_cast<int>(png_get_image_height(png_, info_))};
    result.facts.reduction = reduction_of(result.facts.size, options_);
    result.facts.is_animation = outline_.images > 1;
    check_whole();
    const bool is_deep = png_get_bit_depth(png_, info_) == 16;
    builder_.emplace(result.facts.size, PixelLayout{png_get_channels(png_, info_), is_deep}, result.facts.reduction,
                     options_);
    read_pixels(result.facts.size.height);
    result.image = builder_->image();
    apply_orientation(result.image, outline_.orientation);
    if (outline_.orientation >= 5) std::swap(result.facts.size.width, result.facts.size.height);
    result.facts.has_transparency = builder_->has_transparency();
    result.facts.is_deep = is_deep;
    result.facts.largest_deep_value = builder_->largest_value();
    result.facts.lacks_end = !outline_.has_end;
    result.facts.complaint = warning_;
    return result;
  }

 private:
  static PngDecoder& self_of(void* pointer) { return *static_cast<PngDecoder*>(pointer); }

  [[noreturn]] static void on_error(png_structp png, png_const_charp message) {
    auto& self = self_of(png_get_error_ptr(png));
    std::strncpy(self.error_, message, sizeof self.error_ - 1);
    std::longjmp(self.jump_, 1);
  }
  static void on_warning(png_structp png, png_const_charp message) {
    auto& self = self_of(png_get_error_ptr(png));
    if (self.warning_[0] == '\0') std::strncpy(self.warning_, message, sizeof self.warning_ - 1);
  }
  /// Supplies zeros after the end of the bytes if check_whole() has found that all pixels are present.
  static void read(png_structp png, png_bytep out, std::size_t count) {
    auto& self = self_of(png_get_io_ptr(png));
    const auto part = self.bytes_.substr(self.at_, count);
    if (part.size() < count && !self.may_end_) png_error(png, "the file is truncated");
    std::memcpy(out, part.data(), part.size());
    std::memset(out + part.size(), 0, count - part.size());
    self.at_ += part.size();
  }

  /// Runs calls to libpng. An error jumps over the stack frames of `calls`, so `calls` must not own resources.
  void guarded(void (*calls)(PngDecoder& self)) {
    if (setjmp(jump_) == 0) {
      calls(*this);
      return;
    }
    report_bad_image(error_);
  }

  void read_header() {
    png_read_info(png_, info_);
    is_interlaced_ = png_get_interlace_type(png_, info_) != PNG_INTERLACE_NONE;
    raw_row_bytes_ = png_get_rowbytes(png_, info_);
    png_set_palette_to_rgb(png_);
    png_set_expand_gray_1_2_4_to_8(png_);
    if (png_get_valid(png_, info_, PNG_INFO_tRNS) != 0) png_set_tRNS_to_alpha(png_);
    png_set_bgr(png_);
    if (std::endian::native == std::endian::little) png_set_swap(png_);
    if (is_interlaced_) png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
  }

  /// Rejects a file that ends inside a chunk of pixel data unless all pixels are present. An interlaced file, whose
  /// rows are spread over seven passes, is rejected if it ends anywhere within its pixel data.
  void check_whole() {
    if (outline_.has_end) return;
    const std::uint64_t expected = (raw_row_bytes_ + 1) * std::uint64_t{png_get_image_height(png_, info_)};
    if (outline_.ends_inside_pixels && (is_interlaced_ || !contains_all_pixels(bytes_, expected))) {
      report_bad_image("the file is truncated");
    }
    may_end_ = outline_.ends_inside_pixels;
    if (may_end_) png_set_crc_action(png_, PNG_CRC_QUIET_USE, PNG_CRC_WARN_DISCARD);  // only checksums are missing
  }

  void read_pixels(int height) {
    const std::size_t row_bytes = png_get_rowbytes(png_, info_);
    const WholeImageMemory memory(is_interlaced_ ? row_bytes * static_cast<std::uint64_t>(height) : 0);
    pixels_.resize(is_interlaced_ ? row_bytes * static_cast<std::size_t>(height) : row_bytes);
    if (is_interlaced_) {
      for (int y = 0; y < height; ++y) rows_.push_back(pixels_.data() + static_cast<std::size_t>(y) * row_bytes);
      guarded([](PngDecoder& self) { png_read_image(self.png_, self.rows_.data()); });
      for (const auto* row : rows_) builder_->add_row(row);
    } else {
      guarded([](PngDecoder& self) {
        const png_uint_32 rows = png_get_image_height(self.png_, self.info_);
        for (png_uint_32 y = 0; y < rows; ++y) {
          png_read_row(self.png_, self.pixels_.data(), nullptr);
          self.builder_->add_row(self.pixels_.data());
        }
      });
    }
  }

  std::string_view bytes_;
  DecodeOptions options_;
  PngOutline outline_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::jmp_buf jump_{};
  std::size_t at_ = 0;  // position in bytes_
  bool may_end_ = false, is_interlaced_ = false;
  std::size_t raw_row_bytes_ = 0;
  std::vector<png_byte> pixels_;  // one row, or all rows of an interlaced image
  std::vector<png_bytep> rows_;
  std::optional<ImageBuilder> builder_;
  char error_[128] = "", warning_[128] = "";
};

}  // namespace

DecodedImage decode_png(std::string_view bytes, const DecodeOptions& options) {
  return PngDecoder(bytes, options).decode();
}

}  // namespace slopegan
