#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <opencv2/core.hpp>

/// Text in images, in any script that the font covers (images/font.h).
namespace slopegan {

struct TextStyle {
  int size = 13;  ///< pixels per em; capital letters are 0.73 em high
  bool bold = false;
  cv::Scalar colour = {};  ///< BGR
};

/// The bounding box of one line of text: its width, and the height of a line with accents and descenders.
cv::Size text_size(const std::string& text, const TextStyle& style);

/// The height of one line of text in pixels.
int line_height(const TextStyle& style);

/// Returns `text` if it fits into `width` pixels. Otherwise, an ellipsis replaces as few characters as possible in the
/// middle of the text, because names often differ at the end; the result is empty if not even the ellipsis fits.
std::string shorten(const std::string& text, int width, const TextStyle& style);

/// Breaks `text` at spaces into at most `most_lines` lines of at most `width` pixels. Longer words are shortened, and
/// so is the last line if it has to contain the rest of the text. Empty text has no lines.
std::vector<std::string> wrap(const std::string& text, int width, const TextStyle& style,
                              std::size_t most_lines = std::string::npos);

/// Draws one line of text into a CV_8UC3 image and clips it to the image. `top_left` is the top left corner of the box
/// measured by text_size.
void draw_text(cv::Mat& image, const std::string& text, cv::Point top_left, const TextStyle& style);

/// Draws one line of text that is rotated to read from bottom to top. The width and height of its box are those of
/// text_size, swapped.
void draw_vertical_text(cv::Mat& image, const std::string& text, cv::Point top_left, const TextStyle& style);

}  // namespace slopegan
