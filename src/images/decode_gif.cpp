#include <algorithm>
#include <array>
#include <cstring>
#include <gif_lib.h>
#include <span>
#include <vector>

#include "images/decoders.h"
#include "images/image_builder.h"
#include "support/text.h"

namespace slopegan {

namespace {

/// Decodes the first picture of a GIF file onto the logical screen.
class GifDecoder {
 public:
  explicit GifDecoder(std::string_view bytes) : bytes_(bytes) {
    int error = 0;
    gif_ = DGifOpen(this, read, &error);
    if (gif_ == nullptr) report_bad_image(text_of(error));
  }
  GifDecoder(const GifDecoder&) = delete;
  GifDecoder& operator=(const GifDecoder&) = delete;
  ~GifDecoder() { DGifCloseFile(gif_, nullptr); }

  DecodedImage decode(const DecodeOptions& options) {
    DecodedImage result;
    result.facts.size = {gif_->SWidth, gif_->SHeight};
    if (result.facts.size.area() <= 0) report_bad_image("it has no pixels");
    result.facts.reduction = reduction_of(result.facts.size, options);
    const WholeImageMemory memory(static_cast<std::uint64_t>(result.facts.size.width) *
                                  static_cast<std::uint64_t>(result.facts.size.height) * 4);
    if (next_record() != IMAGE_DESC_RECORD_TYPE) report_bad_image("it has no pixels");
    screen_ = cv::Mat::zeros(result.facts.size, CV_8UC4);
    read_picture();
    try {
      result.facts.is_animation = next_record() == IMAGE_DESC_RECORD_TYPE;
    } catch (const DataError&) {  // all pixels of the first picture are present
      result.facts.lacks_end = true;
    }
    build_image(screen_, /*premultiplied=*/false, result.facts.reduction, options, result);
    return result;
  }

 private:
  static int read(GifFileType* gif, GifByteType* out, int count) {
    auto& self = *static_cast<GifDecoder*>(gif->UserData);
    const auto part = self.bytes_.substr(self.at_, static_cast<std::size_t>(count));
    std::memcpy(out, part.data(), part.size());
    self.at_ += part.size();
    return static_cast<int>(part.size());
  }

  static std::string text_of(int error) {
    const char* text = GifErrorString(error);
    return text == nullptr ? "not a GIF image" : text;
  }

  void check(int status) const {
    if (status != GIF_OK) report_bad_image(text_of(gif_->Error));
  }

  /// The type of the next record that is not an extension. Stores the transparent colour of the picture that follows.
  GifRecordType next_record() {
    for (;;) {
      GifRecordType type = UNDEFINED_RECORD_TYPE;
      check(DGifGetRecordType(gif_, &type));
      if (type != EXTENSION_RECORD_TYPE) return type;
      int code = 0;
      GifByteType* data = nullptr;
      check(DGifGetExtension(gif_, &code, &data));
      while (data != nullptr) {
        GraphicsControlBlock control;
        if (code == GRAPHICS_EXT_FUNC_CODE && DGifExtensionToGCB(data[0], data + 1, &control) == GIF_OK) {
          transparent_ = control.TransparentColor;
        }
        check(DGifGetExtensionNext(gif_, &data));
      }
    }
  }

  void read_picture() {
    check(DGifGetImageDesc(gif_));
    const GifImageDesc& picture = gif_->Image;
    const ColorMapObject* colours = picture.ColorMap != nullptr ? picture.ColorMap : gif_->SColorMap;
    if (colours == nullptr) report_bad_image("it has no colour table");
    row_.resize(static_cast<std::size_t>(picture.Width));
    // An interlaced picture is stored in four passes (GIF89a, appendix E).
    constexpr std::array<std::array<int, 2>, 4> passes = {{{0, 8}, {4, 8}, {2, 4}, {1, 2}}};
    constexpr std::array<std::array<int, 2>, 1> straight = {{{0, 1}}};
    const std::span<const std::array<int, 2>> order =
        picture.Interlace ? std::span<const std::array<int, 2>>(passes) : straight;
    for (const auto& [first, step] : order) {
      for (int y = first; y < picture.Height; y += step) {
        check(DGifGetLine(gif_, row_.data(), picture.Width));
        draw_row(picture, *colours, y);
      }
    }
  }

  void draw_row(const GifImageDesc& picture, const ColorMapObject& colours, int y) {
    if (picture.Top + y >= screen_.rows) return;
    auto* out = screen_.ptr<cv::Vec4b>(picture.Top + y);
    for (int x = 0; x < std::min(picture.Width, screen_.cols - picture.Left); ++x) {
      const int index = row_[static_cast<std::size_t>(x)];
      if (index == transparent_ || index >= colours.ColorCount) continue;
      const GifColorType& colour = colours.Colors[index];
      out[picture.Left + x] = {colour.Blue, colour.Green, colour.Red, 255};
    }
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
  GifFileType* gif_ = nullptr;
  int transparent_ = NO_TRANSPARENT_COLOR;
  std::vector<GifPixelType> row_;
  cv::Mat screen_;
};

}  // namespace

DecodedImage decode_gif(std::string_view bytes, const DecodeOptions& options) {
  return GifDecoder(bytes).decode(options);
}

}  // namespace slopegan
