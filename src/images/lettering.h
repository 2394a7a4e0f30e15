#pragma once

#include <string>
#include <vector>

#include <opencv2/core.hpp>

/// Text in images: OpenCV's stroke font, drawn larger and scaled down, which gives smooth letters. The font has ASCII
/// only; every other character is drawn as '?'.
namespace slopegan {

struct Lettering {
  double size = 12;        ///< height of a capital letter in pixels
  double stroke = 1.3;     ///< width of the lines in pixels
  cv::Scalar colour = {};  ///< BGR
};

/// Width of `text`, and the height of a line of it: from the top of the tallest letter to the bottom of a descender.
cv::Size text_size(const std::string& text, const Lettering& lettering);

/// `text`, or as much of its beginning with "..." behind as is at most `width` pixels wide; nothing where not
/// even the dots are.
std::string shorten(const std::string& text, int width, const Lettering& lettering);

/// `text` in lines of at most `width` pixels, broken at spaces; a longer word is shortened. An empty text has no lines.
std::vector<std::string> wrap(const std::string& text, int width, const Lettering& lettering);

/// Draws one line into a CV_8UC3 image; `top_left` is that of the box that text_size measures. What lies outside the
/// image is left out.
void draw_text(cv::Mat& image, const std::string& text, cv::Point top_left, const Lettering& lettering);

}  // namespace slopegan
