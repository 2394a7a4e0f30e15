#include "images/picture_style.h"

namespace slopegan {

PictureColours colours_of(const PictureStyle& style) {
  const auto gray = [](int value) { return cv::Scalar::all(value); };
  PictureColours colours{.background = gray(255),
                         .strong = gray(20),
                         .text = gray(36),
                         .muted = gray(98),
                         .line = gray(208),
                         .faint_line = gray(233),
                         .missing = gray(240),
                         .accent = {0, 112, 222}};
  if (style.dark) {
    colours = {.background = gray(24),
               .strong = gray(248),
               .text = gray(230),
               .muted = gray(168),
               .line = gray(74),
               .faint_line = gray(50),
               .missing = gray(40),
               .accent = {50, 176, 255}};
  }
  if (style.gray) colours.accent = colours.text;
  return colours;
}

std::string name_suffix(const PictureStyle& style) {
  return std::string(style.dark ? "_dark" : "") +
         (style.pixel_ratio > 1 ? "@" + std::to_string(style.pixel_ratio) + "x" : "");
}

}  // namespace slopegan
