#include "images/font.h"

#include <algorithm>
#include <cstdint>
#include <ft2build.h>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>
#include FT_FREETYPE_H
#include FT_OUTLINE_H

#include "images/font_data.h"
#include "support/text.h"

namespace slopegan {

namespace {

/// FreeType's unit of length is 1/64 pixel.
constexpr FT_Pos units_per_pixel = 64;

FT_Pos floor_to_pixel(FT_Pos position) {
  return position >= 0 ? position / units_per_pixel : -((units_per_pixel - 1 - position) / units_per_pixel);
}
FT_Pos ceil_to_pixel(FT_Pos position) { return -floor_to_pixel(-position); }

/// Letters are hinted in the vertical direction only, which keeps horizontal strokes sharp. Horizontally, they keep
/// their exact widths and are placed at fractions of a pixel.
constexpr FT_Int32 load_flags = FT_LOAD_TARGET_LIGHT | FT_LOAD_NO_BITMAP;

std::u32string characters_of(const std::string& text) {
  std::u32string characters;
  for (const char letter : printable(text, text.size())) {
    const auto byte = static_cast<unsigned char>(letter);
    if ((byte & 0xc0) == 0x80) {
      characters.back() = characters.back() << 6 | (byte & 0x3f);
    } else {
      characters += byte < 0x80 ? byte : byte < 0xe0 ? byte & 0x1f : byte < 0xf0 ? byte & 0x0f : byte & 0x07;
    }
  }
  return characters;
}

/// Whether the character is never drawn, such as a joiner or a variation selector.
bool is_invisible(char32_t character) {
  return (character >= 0x200b && character <= 0x200f) || (character >= 0x202a && character <= 0x202e) ||
         (character >= 0x2060 && character <= 0x2064) || (character >= 0xfe00 && character <= 0xfe0f) ||
         character == 0xfeff;
}

struct GlyphExtent {
  FT_Pos advance = 0;
  FT_Pos left = 0, right = 0;  ///< extent of the ink, relative to the origin of the glyph
};

/// The regular or the bold face. FreeType's faces are not thread-safe, so callers must hold Typeface::lock.
class Face {
 public:
  Face(FT_Library library, std::string_view data) {
    if (FT_New_Memory_Face(library, reinterpret_cast<const FT_Byte*>(data.data()), static_cast<FT_Long>(data.size()), 0,
                           &face_) != FT_Err_Ok) {
      throw std::runtime_error("FreeType cannot read the font that is built into the program");
    }
  }

  FT_Face sized(int size) {
    if (std::exchange(size_, size) != size) FT_Set_Pixel_Sizes(face_, 0, static_cast<FT_UInt>(size));
    return face_;
  }

  const GlyphExtent& extent(FT_UInt glyph, int size) {
    const auto key = std::uint64_t{glyph} << 32 | static_cast<std::uint32_t>(size);
    const auto [entry, is_new] = extents_.try_emplace(key);
    if (is_new && FT_Load_Glyph(sized(size), glyph, load_flags) == FT_Err_Ok) {
      FT_BBox box;
      FT_Outline_Get_CBox(&face_->glyph->outline, &box);
      entry->second = {(face_->glyph->linearHoriAdvance + 512) >> 10, box.xMin, box.xMax};
    }
    return entry->second;
  }

 private:
  FT_Face face_ = nullptr;
  int size_ = 0;
  std::unordered_map<std::uint64_t, GlyphExtent> extents_;
};

/// Lives until the process ends, so FreeType's objects are not released.
struct Typeface {
  std::mutex lock;
  FT_Library library = nullptr;
  std::vector<Face> faces;  // regular, bold

  Typeface() {
    if (FT_Init_FreeType(&library) != FT_Err_Ok) throw std::runtime_error("FreeType cannot be initialised");
    for (const auto data : {regular_font(), bold_font()}) faces.emplace_back(library, data);
  }
  Face& of(const Font& font) { return faces[font.bold ? 1 : 0]; }
};

Typeface& typeface() {
  static auto* const shared = new Typeface;
  return *shared;
}

struct PlacedGlyph {
  FT_UInt glyph;
  FT_Pos x;
};

struct SetLine {
  std::vector<PlacedGlyph> glyphs;
  FT_Pos left = 0, right = 0;
};

SetLine set_line(const std::string& text, const Font& font, Face& face) {
  SetLine line;
  FT_Pos x = 0;
  for (const char32_t character : characters_of(text)) {
    if (is_invisible(character)) continue;
    const FT_UInt glyph = FT_Get_Char_Index(face.sized(font.size), character);
    FT_Vector kerning{};
    if (!line.glyphs.empty()) {
      FT_Get_Kerning(face.sized(font.size), line.glyphs.back().glyph, glyph, FT_KERNING_UNFITTED, &kerning);
    }
    x += kerning.x;
    const GlyphExtent& extent = face.extent(glyph, font.size);
    line.glyphs.push_back({glyph, x});
    line.left = std::min(line.left, x + extent.left);
    line.right = std::max(line.right, x + std::max(extent.advance, extent.right));
    x += extent.advance;
  }
  return line;
}

LineExtent extent_of(const SetLine& line) {
  return {static_cast<int>(floor_to_pixel(line.left)), static_cast<int>(ceil_to_pixel(line.right))};
}

/// Adds the coverage of a glyph, whose bitmap begins at `corner`, to the mask. Glyphs may touch or overlap.
void add_bitmap(cv::Mat& mask, const FT_Bitmap& bitmap, cv::Point corner) {
  for (int row = 0; row < static_cast<int>(bitmap.rows); ++row) {
    const int y = corner.y + row;
    if (y < 0 || y >= mask.rows) continue;
    const unsigned char* from = bitmap.buffer + row * bitmap.pitch;
    for (int column = 0; column < static_cast<int>(bitmap.width); ++column) {
      const int x = corner.x + column;
      if (x < 0 || x >= mask.cols) continue;
      auto& to = mask.at<uchar>(y, x);
      to = cv::saturate_cast<uchar>(to + from[column]);
    }
  }
}

/// The metrics of the face for `font`.
FT_Size_Metrics metrics_of(const Font& font) {
  auto& shared = typeface();
  const std::scoped_lock lock(shared.lock);
  return shared.of(font).sized(font.size)->size->metrics;
}

}  // namespace

int font_ascent(const Font& font) { return static_cast<int>(ceil_to_pixel(metrics_of(font).ascender)); }
int font_descent(const Font& font) { return static_cast<int>(ceil_to_pixel(-metrics_of(font).descender)); }

LineExtent measure_line(const std::string& text, const Font& font) {
  auto& shared = typeface();
  const std::scoped_lock lock(shared.lock);
  return extent_of(set_line(text, font, shared.of(font)));
}

cv::Mat rasterise_line(const std::string& text, const Font& font) {
  const int ascent = font_ascent(font), height = ascent + font_descent(font);
  auto& shared = typeface();
  const std::scoped_lock lock(shared.lock);
  Face& face = shared.of(font);
  const SetLine line = set_line(text, font, face);
  const LineExtent extent = extent_of(line);
  cv::Mat mask(height, extent.right - extent.left, CV_8UC1, cv::Scalar(0));
  for (const auto& [glyph, x] : line.glyphs) {
    const FT_Face sized = face.sized(font.size);
    if (FT_Load_Glyph(sized, glyph, load_flags) != FT_Err_Ok) continue;
    const FT_Pos whole = floor_to_pixel(x);
    FT_Outline_Translate(&sized->glyph->outline, x - whole * units_per_pixel, 0);
    if (FT_Render_Glyph(sized->glyph, FT_RENDER_MODE_NORMAL) != FT_Err_Ok) continue;
    const cv::Point corner(static_cast<int>(whole) - extent.left + sized->glyph->bitmap_left,
                           ascent - sized->glyph->bitmap_top);
    add_bitmap(mask, sized->glyph->bitmap, corner);
  }
  return mask;
}

}  // namespace slopegan
