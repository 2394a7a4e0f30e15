#pragma once

#include <optional>
#include <string>
#include <vector>

#include <opencv2/core.hpp>

#include "images/axis.h"
#include "images/picture_style.h"

/// PNG plots drawn with OpenCV: panels with axes, lines, points and bars.
namespace slopegan {

enum class Mark { line, points, bars };

struct Series {
  std::string label;  ///< the legend entry; none if empty
  Mark mark = Mark::line;
  cv::Scalar colour;  ///< BGR
  std::vector<double> x, y;
};

struct Panel {
  std::string title;
  std::string x_label, y_label;
  bool log_x = false;                   ///< logarithmic x axis; points with x <= 0 are omitted
  std::optional<Range> y_range;         ///< by default, the range of the values
  std::vector<std::string> categories;  ///< labels at x = 0, 1, 2, … instead of numbers
  std::vector<Series> series;
};

struct Plot {
  std::string title, subtitle;
  int columns = 3;
  std::vector<Panel> panels;  ///< in row-major order
};

/// Draws the plot as CV_8UC3. Throws std::invalid_argument if a series has different numbers of x and y values.
cv::Mat draw_plot(const Plot& plot, const PictureStyle& style = {});

/// A palette of colours that people with colour vision deficiency can distinguish (Okabe and Ito, 2008), BGR.
extern const std::vector<cv::Scalar> plot_colours;

}  // namespace slopegan
