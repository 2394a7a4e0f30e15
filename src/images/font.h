#pragma once

#include <string>

#include <opencv2/core.hpp>

/// Lines of text in DejaVu Sans, drawn by FreeType. The font is embedded in the program, so that pictures do not depend
/// on installed fonts. It covers Latin, Greek, Cyrillic and many other scripts; every other character is drawn as a
/// box. Text runs from left to right, with kerning and without ligatures.
namespace slopegan {

struct Font {
  int size = 13;  ///< pixels per em; capital letters are 0.73 em high
  bool bold = false;
};

/// The number of pixels that a line needs above and below the baseline, including accents and descenders.
int font_ascent(const Font& font);
int font_descent(const Font& font);

/// The pixel columns that a line occupies, relative to its origin. `left` is negative if the first letter overhangs.
struct LineExtent {
  int left = 0;
  int right = 0;
};

/// Measures a line of text. Control characters and invalid UTF-8 are drawn as '?'.
LineExtent measure_line(const std::string& text, const Font& font);

/// Renders a line as coverage from 0 to 255, CV_8UC1. The width is that of the extent, and the height is the sum of
/// ascent and descent; ink outside this area is clipped.
cv::Mat rasterise_line(const std::string& text, const Font& font);

}  // namespace slopegan
