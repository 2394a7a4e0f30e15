#include "images/lettering.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include <opencv2/imgproc.hpp>

namespace slopegan {

namespace {

constexpr int font = cv::FONT_HERSHEY_SIMPLEX;
constexpr double capital_height = 21;  // of the font at scale 1
constexpr double ascent = 26.0 / 21;   // of brackets, in capital heights
constexpr double descent = 9.0 / 21;
constexpr double overhang = 0.05;  // of a j to the left of where it begins
constexpr int oversampling = 4;

std::string ascii(const std::string& text) {
  std::string safe;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if ((byte & 0xc0) == 0x80) continue;  // inside a UTF-8 sequence
    safe += byte >= 0x20 && byte < 0x7f ? letter : '?';
  }
  return safe;
}

double scale(const Lettering& lettering) { return lettering.size / capital_height * oversampling; }

int thickness(const Lettering& lettering) {
  return std::max(1, static_cast<int>(std::lround(lettering.stroke * oversampling)));
}

int above_baseline(const Lettering& lettering) {
  return static_cast<int>(std::ceil(lettering.size * ascent + lettering.stroke / 2));
}
int below_baseline(const Lettering& lettering) {
  return static_cast<int>(std::ceil(lettering.size * descent + lettering.stroke / 2));
}
int side_bearing(const Lettering& lettering) {
  return static_cast<int>(std::ceil(lettering.size * overhang + lettering.stroke / 2));
}

/// Mixes the colour into every pixel by the mask's share of 255.
void blend(cv::Mat part, const cv::Mat& mask, const cv::Scalar& colour) {
  for (int y = 0; y < part.rows; ++y) {
    for (int x = 0; x < part.cols; ++x) {
      const double share = mask.at<uchar>(y, x) / 255.0;
      auto& pixel = part.at<cv::Vec3b>(y, x);
      for (int c = 0; c < 3; ++c) pixel[c] = cv::saturate_cast<uchar>(pixel[c] * (1 - share) + colour[c] * share);
    }
  }
}

}  // namespace

cv::Size text_size(const std::string& text, const Lettering& lettering) {
  const int height = above_baseline(lettering) + below_baseline(lettering);
  if (text.empty()) return {0, height};  // OpenCV counts the stroke even then
  const int width = cv::getTextSize(ascii(text), font, scale(lettering), thickness(lettering), nullptr).width;
  return {(width + oversampling - 1) / oversampling + 2 * side_bearing(lettering), height};
}

std::string shorten(const std::string& text, int width, const Lettering& lettering) {
  if (text_size(text, lettering).width <= width) return text;
  std::string start = ascii(text);
  while (!start.empty() && text_size(start + "...", lettering).width > width) start.pop_back();
  while (start.ends_with(' ')) start.pop_back();
  const std::string shortened = start + "...";
  return text_size(shortened, lettering).width <= width ? shortened : "";
}

std::vector<std::string> wrap(const std::string& text, int width, const Lettering& lettering) {
  std::vector<std::string> lines;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const std::string longer = lines.empty() ? word : lines.back() + " " + word;
    if (!lines.empty() && text_size(longer, lettering).width <= width) {
      lines.back() = longer;
    } else {
      lines.push_back(shorten(word, width, lettering));
    }
  }
  return lines;
}

void draw_text(cv::Mat& image, const std::string& text, cv::Point top_left, const Lettering& lettering) {
  CV_Assert(image.type() == CV_8UC3);
  const cv::Size size = text_size(text, lettering);
  if (size.width == 0) return;
  cv::Mat large(size * oversampling, CV_8UC1, cv::Scalar(0));
  const cv::Point origin = cv::Point(side_bearing(lettering), above_baseline(lettering)) * oversampling;
  cv::putText(large, ascii(text), origin, font, scale(lettering), cv::Scalar(255), thickness(lettering), cv::LINE_AA);
  cv::Mat mask;
  cv::resize(large, mask, size, 0, 0, cv::INTER_AREA);
  const cv::Rect box(top_left, size);
  const cv::Rect visible = box & cv::Rect({0, 0}, image.size());
  if (visible.empty()) return;
  blend(image(visible), mask(visible - top_left), lettering.colour);
}

}  // namespace slopegan
