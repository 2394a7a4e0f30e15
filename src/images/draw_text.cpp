#include "images/draw_text.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include <opencv2/imgproc.hpp>

namespace slopegan {

namespace {

constexpr int font = cv::FONT_HERSHEY_SIMPLEX;
constexpr double capital_height = 21;  // in pixels, at font scale 1
constexpr double ascent = 26.0 / 21;   // for brackets, in units of the capital height
constexpr double descent = 9.0 / 21;   // in units of the capital height
constexpr double overhang = 0.05;      // of a "j", to the left of its origin, in units of the capital height
constexpr int oversampling = 4;

std::string ascii(const std::string& text) {
  std::string safe;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if ((byte & 0xc0) == 0x80) continue;  // continuation byte of a UTF-8 sequence
    safe += byte >= 0x20 && byte < 0x7f ? letter : '?';
  }
  return safe;
}

double font_scale(const TextStyle& style) { return style.size / capital_height * oversampling; }

int thickness(const TextStyle& style) {
  return std::max(1, static_cast<int>(std::lround(style.stroke * oversampling)));
}

int above_baseline(const TextStyle& style) {
  return static_cast<int>(std::ceil(style.size * ascent + style.stroke / 2));
}
int below_baseline(const TextStyle& style) {
  return static_cast<int>(std::ceil(style.size * descent + style.stroke / 2));
}
int side_bearing(const TextStyle& style) {
  return static_cast<int>(std::ceil(style.size * overhang + style.stroke / 2));
}

/// Alpha-blends `colour` into `part`; `mask` contains alpha as values from 0 to 255.
void blend(cv::Mat part, const cv::Mat& mask, const cv::Scalar& colour) {
  for (int y = 0; y < part.rows; ++y) {
    for (int x = 0; x < part.cols; ++x) {
      const double alpha = mask.at<uchar>(y, x) / 255.0;
      auto& pixel = part.at<cv::Vec3b>(y, x);
      for (int c = 0; c < 3; ++c) pixel[c] = cv::saturate_cast<uchar>(pixel[c] * (1 - alpha) + colour[c] * alpha);
    }
  }
}

}  // namespace

int line_height(const TextStyle& style) { return above_baseline(style) + below_baseline(style); }

cv::Size text_size(const std::string& text, const TextStyle& style) {
  const int height = line_height(style);
  if (text.empty()) return {0, height};  // OpenCV would add the stroke width
  const int width = cv::getTextSize(ascii(text), font, font_scale(style), thickness(style), nullptr).width;
  return {(width + oversampling - 1) / oversampling + 2 * side_bearing(style), height};
}

std::string shorten(const std::string& text, int width, const TextStyle& style) {
  if (text_size(text, style).width <= width) return text;
  std::string start = ascii(text);
  while (!start.empty() && text_size(start + "...", style).width > width) start.pop_back();
  while (start.ends_with(' ')) start.pop_back();
  const std::string shortened = start + "...";
  return text_size(shortened, style).width <= width ? shortened : "";
}

std::vector<std::string> wrap(const std::string& text, int width, const TextStyle& style) {
  std::vector<std::string> lines;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const std::string longer = lines.empty() ? word : lines.back() + " " + word;
    if (!lines.empty() && text_size(longer, style).width <= width) {
      lines.back() = longer;
    } else {
      lines.push_back(shorten(word, width, style));
    }
  }
  return lines;
}

void draw_text(cv::Mat& image, const std::string& text, cv::Point top_left, const TextStyle& style) {
  CV_Assert(image.type() == CV_8UC3);
  const cv::Size size = text_size(text, style);
  if (size.width == 0) return;
  cv::Mat large(size * oversampling, CV_8UC1, cv::Scalar(0));
  const cv::Point origin = cv::Point(side_bearing(style), above_baseline(style)) * oversampling;
  cv::putText(large, ascii(text), origin, font, font_scale(style), cv::Scalar(255), thickness(style), cv::LINE_AA);
  cv::Mat mask;
  cv::resize(large, mask, size, 0, 0, cv::INTER_AREA);
  const cv::Rect box(top_left, size);
  const cv::Rect visible = box & cv::Rect({0, 0}, image.size());
  if (visible.empty()) return;
  blend(image(visible), mask(visible - top_left), style.colour);
}

}  // namespace slopegan
