#pragma once

#include <string>

#include <opencv2/core.hpp>

/// The style of all drawn pictures (sheets, animations, plots).
namespace slopegan {

struct PictureStyle {
  int pixel_ratio = 1;  ///< multiplies every length, text included; 2 for high-density screens
  bool dark = false;    ///< light text on a dark background
  bool gray = false;    ///< only shades of gray, so that GIFs of gray images have at most 256 colours
};

/// Colours, BGR. All but the accent are gray.
struct PictureColours {
  cv::Scalar background;
  cv::Scalar strong, text, muted;  ///< text colours of titles, labels and captions
  cv::Scalar line, faint_line;     ///< colours of separators and axes, and of the grid of a plot
  cv::Scalar missing;              ///< the square in place of a missing image
  cv::Scalar accent;               ///< the marks of the best row
};

PictureColours colours_of(const PictureStyle& style);

/// The suffix in the file name of a picture in this style: "", "_dark", "@2x" or "_dark@2x".
std::string name_suffix(const PictureStyle& style);

}  // namespace slopegan
