#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "images/axis.h"

/// Charts as SVG, which needs no script to be displayed. On hover, a script shows the values of a chart; it reads them
/// from JSON in the page.
namespace slopegan {

/// The number of colours in the ordered palette of the style sheet.
inline constexpr int palette_colours = 12;

/// Gray, for series without an order.
inline constexpr int neutral_colour = 12;

/// The palette colour of the i-th of `count` ordered items. The items are spread over the whole palette. If there are
/// more items than colours, items share colours, and charts draw lines of the same colour with different dashes.
int palette_colour(std::size_t i, std::size_t count);

struct CurvePoint {
  double x = 0;
  double y = 0;
};

/// Points in order of x. A NaN in y is a gap.
using Curve = std::vector<CurvePoint>;

/// The mean of the finite values that were added; NaN if there are none.
class FiniteMean {
 public:
  void add(double value);
  double value() const;
  bool empty() const { return count_ == 0; }

 private:
  double sum_ = 0;
  std::int64_t count_ = 0;
};

/// The mean of several curves, with at most `max_points` points: one point for each distinct x or, if there are too
/// many of them, one point for each of several intervals of equal width. Every curve has the same weight in an
/// interval. Values that are not finite are ignored; an interval with only such values yields NaN.
Curve mean_curve(const std::vector<Curve>& curves, std::size_t max_points);

struct ChartAxis {
  std::string label = {};                     ///< includes the unit
  bool logarithmic = false;                   ///< only for y
  std::optional<Range> range = std::nullopt;  ///< computed from the values by default
  std::vector<std::string> categories = {};   ///< if not empty, x is an index into this list
};

enum class ChartMark { line, dots, interval };

struct ChartPoint {
  double x = 0, y = 0;
  double low = 0, high = 0;  ///< ends of a ChartMark::interval; an arrow replaces an end outside the axis
  std::string label;         ///< shown on hover with the value
};

struct ChartSeries {
  /// If empty, the series is neither in the legend nor shown on hover, and belongs to the next series with a label:
  /// both are shown or hidden together.
  std::string label = {};
  int colour = 0;
  ChartMark mark = ChartMark::line;
  bool faint = false;  ///< a thin line below the others, or hollow dots
  std::vector<ChartPoint> points = {};
};

struct Chart {
  std::string title;
  std::string note;
  ChartAxis x, y;
  std::vector<ChartSeries> series;
  std::optional<double> reference;  ///< y of a horizontal line
  std::string reference_label;
};

std::vector<ChartPoint> chart_points(const Curve& curve);

/// Returns a <figure> with title, drawing, legend and note, or an empty string if no point is finite. Appends the
/// values to `numbers`; the figure refers to them by index.
std::string chart_html(const Chart& chart, nlohmann::ordered_json& numbers);

/// Returns a grid of all non-empty charts.
std::string chart_grid(const std::vector<Chart>& charts, nlohmann::ordered_json& numbers);

}  // namespace slopegan
