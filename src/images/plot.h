#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <opencv2/core.hpp>

/// Charts as pictures: panels with axes, lines, points and bars, drawn with OpenCV.
namespace slopegan {

enum class Mark { line, points, bars };

struct Series {
  std::string label;  ///< for the legend; empty: not in it
  Mark mark = Mark::line;
  cv::Scalar colour;  ///< BGR
  std::vector<double> x, y;
};

struct Panel {
  std::string title;
  std::string x_label, y_label;
  bool log_x = false;                                ///< needs x > 0; other points are left out
  std::optional<std::pair<double, double>> y_range;  ///< what the values span, where not given
  std::vector<std::string> categories;               ///< names under x = 0, 1, 2, … instead of numbers
  std::vector<Series> series;
};

struct Plot {
  std::string title, subtitle;
  int columns = 3;
  std::vector<Panel> panels;  ///< row by row
};

/// Round numbers from `low` to `high`, about `count` of them: multiples of 1, 2 or 5 times a power of ten.
std::vector<double> round_ticks(double low, double high, int count);

/// CV_8UC3. Throws std::invalid_argument where a series has not as many x as y.
cv::Mat draw_plot(const Plot& plot);

/// Colours that people who see colours differently can tell apart (Okabe and Ito 2008), BGR.
extern const std::vector<cv::Scalar> plot_colours;

}  // namespace slopegan
