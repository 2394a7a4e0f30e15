#pragma once

#include <string>
#include <vector>

#include <opencv2/core.hpp>

/// Text in images. OpenCV's stroke font is drawn at four times the size and scaled down, which antialiases the letters.
/// The font covers ASCII only; every other character is drawn as '?'.
namespace slopegan {

struct TextStyle {
  double size = 12;        ///< height of a capital letter in pixels
  double stroke = 1.3;     ///< line width in pixels
  cv::Scalar colour = {};  ///< BGR
};

/// The bounding box of one line of text: its width, and the height from the top of the tallest letter to the bottom of
/// a descender.
cv::Size text_size(const std::string& text, const TextStyle& style);

/// The height of one line of text in pixels.
int line_height(const TextStyle& style);

/// Returns `text` if it fits into `width` pixels, otherwise its longest prefix that fits with "..." appended, or an
/// empty string if even "..." does not fit.
std::string shorten(const std::string& text, int width, const TextStyle& style);

/// Breaks `text` at spaces into lines of at most `width` pixels. Longer words are shortened. An empty text has no
/// lines.
std::vector<std::string> wrap(const std::string& text, int width, const TextStyle& style);

/// Draws one line of text into a CV_8UC3 image and clips it to the image. `top_left` is the top left corner of the box
/// measured by text_size.
void draw_text(cv::Mat& image, const std::string& text, cv::Point top_left, const TextStyle& style);

}  // namespace slopegan
