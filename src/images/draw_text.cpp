#include "images/draw_text.h"

#include <algorithm>
#include <sstream>

#include "images/font.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr const char* ellipsis = "\u2026";

Font font_of(const TextStyle& style) { return {style.size, style.bold}; }

/// Blends `colour` into `image` with the alpha values (0 to 255) in `mask`, whose top-left corner is placed at
/// `corner`.
void blend(cv::Mat& image, const cv::Mat& mask, cv::Point corner, const cv::Scalar& colour) {
  CV_Assert(image.type() == CV_8UC3);
  const cv::Rect visible = cv::Rect(corner, mask.size()) & cv::Rect({0, 0}, image.size());
  for (int y = visible.y; y < visible.br().y; ++y) {
    for (int x = visible.x; x < visible.br().x; ++x) {
      const double alpha = mask.at<uchar>(y - corner.y, x - corner.x) / 255.0;
      auto& pixel = image.at<cv::Vec3b>(y, x);
      for (int c = 0; c < 3; ++c) pixel[c] = cv::saturate_cast<uchar>(pixel[c] * (1 - alpha) + colour[c] * alpha);
    }
  }
}

/// The positions at which valid UTF-8 text can be cut: before each character that is not a combining mark (U+0300
/// to U+036F), and at the end.
std::vector<std::size_t> cuts_of(const std::string& text) {
  std::vector<std::size_t> cuts;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    const bool is_mark = byte == 0xcc || (byte == 0xcd && next < 0xb0);
    if ((byte & 0xc0) != 0x80 && !is_mark) cuts.push_back(i);
  }
  cuts.push_back(text.size());
  return cuts;
}

/// `text` with only `kept` of its characters: the longer half at the start, the rest at the end.
std::string without_middle(const std::string& text, const std::vector<std::size_t>& cuts, std::size_t kept) {
  std::string start = text.substr(0, cuts[(kept + 1) / 2]), end = text.substr(cuts[cuts.size() - 1 - kept / 2]);
  while (start.ends_with(' ')) start.pop_back();
  end.erase(0, std::min(end.find_first_not_of(' '), end.size()));
  return start + ellipsis + end;
}

}  // namespace

int line_height(const TextStyle& style) { return font_ascent(font_of(style)) + font_descent(font_of(style)); }

cv::Size text_size(const std::string& text, const TextStyle& style) {
  const LineExtent extent = measure_line(text, font_of(style));
  return {extent.right - extent.left, line_height(style)};
}

std::string shorten(const std::string& text, int width, const TextStyle& style) {
  if (text_size(text, style).width <= width) return text;
  const std::string safe = printable(text, text.size());
  const auto cuts = cuts_of(safe);
  const auto fits = [&](std::size_t kept) { return text_size(without_middle(safe, cuts, kept), style).width <= width; };
  std::size_t kept = 0, too_many = cuts.size() - 1;
  while (too_many - kept > 1) {
    const std::size_t middle = (kept + too_many) / 2;
    (fits(middle) ? kept : too_many) = middle;
  }
  if (kept == 0 && !fits(0)) return "";
  return without_middle(safe, cuts, kept);
}

std::vector<std::string> wrap(const std::string& text, int width, const TextStyle& style, std::size_t most_lines) {
  std::vector<std::string> lines;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const std::string longer = lines.empty() ? word : lines.back() + " " + word;
    if (lines.size() == most_lines || (!lines.empty() && text_size(longer, style).width <= width)) {
      lines.back() = longer;
    } else {
      if (!lines.empty()) lines.back() = shorten(lines.back(), width, style);
      lines.push_back(word);
    }
  }
  if (!lines.empty()) lines.back() = shorten(lines.back(), width, style);
  return lines;
}

void draw_text(cv::Mat& image, const std::string& text, cv::Point top_left, const TextStyle& style) {
  blend(image, rasterise_line(text, font_of(style)), top_left, style.colour);
}

void draw_vertical_text(cv::Mat& image, const std::string& text, cv::Point top_left, const TextStyle& style) {
  cv::Mat mask = rasterise_line(text, font_of(style));
  if (!mask.empty()) cv::rotate(mask, mask, cv::ROTATE_90_COUNTERCLOCKWISE);
  blend(image, mask, top_left, style.colour);
}

}  // namespace slopegan
