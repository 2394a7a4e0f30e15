#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "report/axis.h"
#include "report/curve.h"

/// Charts as SVG that is complete without scripts, and the numbers behind them for values on hover.
namespace slopegan {

/// Colours of the style sheet's ramp, from 0.
inline constexpr int ramp_colours = 12;

/// Gray, for what stands in no order.
inline constexpr int neutral_colour = 12;

/// The colour of the i-th of `count` ordered things, spread over the ramp.
int ramp_colour(std::size_t i, std::size_t count);

struct ChartAxis {
  std::string label = {};  ///< with its unit
  bool logarithmic = false;
  std::optional<Range> range = std::nullopt;  ///< nothing: from the values
  std::vector<std::string> categories = {};   ///< not empty: x is an index into these
};

enum class ChartMark { line, dots, interval };

struct ChartPoint {
  double x = 0, y = 0;
  double low = 0, high = 0;  ///< of ChartMark::interval; infinite where there is no limit
  std::string label;         ///< said on hover besides the value
};

struct ChartSeries {
  std::string label = {};  ///< empty: not in the legend, not on hover
  int colour = 0;
  ChartMark mark = ChartMark::line;
  bool faint = false;  ///< a thin line behind the others, or hollow dots
  bool dashed = false;
  std::vector<ChartPoint> points = {};
};

struct Chart {
  std::string title;
  std::string note;
  ChartAxis x, y;
  std::vector<ChartSeries> series;
  std::optional<double> reference;  ///< a horizontal line
  std::string reference_label;
};

std::vector<ChartPoint> chart_points(const Curve& curve);

/// A figure with title, drawing, legend and note; nothing where no series has a finite point. `numbers` gets an element
/// for hover, under the index that the figure names.
std::string chart_html(const Chart& chart, nlohmann::ordered_json& numbers);

/// Several side by side.
std::string chart_grid(const std::vector<Chart>& charts, nlohmann::ordered_json& numbers);

}  // namespace slopegan
