#include "report/chart.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "report/html.h"
#include "report/svg.h"
#include "support/text.h"

namespace slopegan {

namespace {

/// Size and margins of the drawing in SVG user units. One unit is about one CSS pixel on phones and on laptops.
constexpr double width = 440, height = 264, left = 54, right = 14, top = 12, bottom = 46;
constexpr double plot_width = width - left - right, plot_height = height - top - bottom;

std::string attribute(const char* name, double value) { return format_text(" {}=\"{:.1f}\"", name, value); }

/// The number of labelled series before the i-th series. For a labelled series, this is its index in the legend; for an
/// unlabelled one, it is the index of the series to which it belongs.
std::size_t legend_index(const Chart& chart, std::size_t i) {
  const auto end = chart.series.begin() + static_cast<std::ptrdiff_t>(i);
  return static_cast<std::size_t>(
      std::count_if(chart.series.begin(), end, [](const ChartSeries& series) { return !series.label.empty(); }));
}

/// The CSS class, such as " dash1", of a line that has the colour of an earlier line in the legend; otherwise empty.
std::string dash_of(const Chart& chart, std::size_t i) {
  constexpr std::ptrdiff_t dash_patterns = 3;
  const ChartSeries& line = chart.series[i];
  const auto is_bold_line = [](const ChartSeries& series) { return series.mark == ChartMark::line && !series.faint; };
  if (!is_bold_line(line)) return {};
  const auto repeats = std::count_if(
      chart.series.begin(), chart.series.begin() + static_cast<std::ptrdiff_t>(i), [&](const ChartSeries& series) {
        return is_bold_line(series) && !series.label.empty() && series.colour == line.colour;
      });
  return repeats == 0 ? "" : format_text(" dash{}", std::min(repeats, dash_patterns));
}

class Drawing {
 public:
  explicit Drawing(const Chart& chart) : chart_(chart), x_(x_axis()), y_(y_axis()) {}

  const Axis& x() const { return x_; }
  const Axis& y() const { return y_; }

  std::string svg() const {
    std::string body = axes();
    for (const bool faint : {true, false}) {
      for (std::size_t i = 0; i < chart_.series.size(); ++i) {
        if (chart_.series[i].faint == faint) body += series_svg(i);
      }
    }
    return format_text("<svg viewBox=\"0 0 {:g} {:g}\" role=\"img\" aria-label=\"", width, height) +
           escape(chart_.title) + "\">" + body + "<g class=\"hover\"></g></svg>";
  }

 private:
  Axis x_axis() const {
    if (chart_.x.range) return {*chart_.x.range};
    if (!chart_.x.categories.empty()) return {{-0.5, static_cast<double>(chart_.x.categories.size()) - 0.5}};
    double end = 1;
    for (const auto& series : chart_.series) {
      for (const auto& point : series.points) end = std::max(end, point.x);
    }
    return {{0, end}};
  }

  Axis y_axis() const {
    if (chart_.y.range) return {*chart_.y.range, chart_.y.logarithmic};
    std::vector<double> values;
    if (chart_.reference) values.push_back(*chart_.reference);
    for (const auto& series : chart_.series) {
      for (const auto& point : series.points) {
        values.push_back(point.y);
        if (series.mark == ChartMark::interval) values.insert(values.end(), {point.low, point.high});
      }
    }
    return Axis::fit_padded(values, chart_.y.logarithmic);
  }

  double px(double value) const { return left + plot_width * x_.position(value); }

  /// Values outside the range are clamped to its ends.
  double py(double value) const {
    const double position = y_.logarithmic && value <= 0 ? 0 : y_.position(value);
    return top + plot_height * (1 - std::clamp(position, 0.0, 1.0));
  }

  std::string x_ticks() const {
    std::string svg;
    const auto& categories = chart_.x.categories;
    // Draws as many labels as fit side by side, at about 7 pixels per letter.
    std::size_t longest = 1;
    for (const auto& category : categories) longest = std::max(longest, category.size());
    const auto room = static_cast<std::size_t>(plot_width / (7.0 * static_cast<double>(longest) + 8));
    const std::size_t every = categories.empty() ? 1 : (categories.size() + room - 1) / std::max<std::size_t>(1, room);
    for (std::size_t i = 0; i < categories.size(); i += every) {
      svg += svg_text(px(static_cast<double>(i)), height - bottom + 17, "tick middle", categories[i]);
    }
    if (!categories.empty()) return svg;
    for (const double tick : x_.ticks(6)) {
      svg += svg_text(px(tick), height - bottom + 17, "tick middle", tick_text(tick));
    }
    return svg;
  }

  std::string axes() const {
    std::string svg;
    for (const double tick : y_.ticks(5)) {
      const double y = py(tick);
      svg += svg_line("rule", left, y, width - right, y) + svg_text(left - 7, y + 4, "tick end", tick_text(tick));
    }
    svg += svg_line("axis", left, height - bottom, width - right, height - bottom) + x_ticks();
    svg += svg_text(left + plot_width / 2, height - 8, "label middle", chart_.x.label);
    svg += format_text("<text class=\"label middle\" transform=\"translate(13 {:.1f}) rotate(-90)\">",
                       top + plot_height / 2) +
           escape(chart_.y.label) + "</text>";
    if (chart_.reference) {
      const double y = py(*chart_.reference);
      svg += svg_line("reference", left, y, width - right, y);
      if (!chart_.reference_label.empty()) {
        svg += svg_text(width - right, y > top + 16 ? y - 5 : y + 13, "tick end", chart_.reference_label);
      }
    }
    return svg;
  }

  std::string path(const ChartSeries& series) const {
    std::string d;
    bool pen_down = false;
    for (const auto& point : series.points) {
      const bool visible = std::isfinite(point.y) && !(chart_.y.logarithmic && point.y <= 0);
      if (visible) d += format_text("{}{:.1f} {:.1f}", pen_down ? "L" : "M", px(point.x), py(point.y));
      pen_down = visible;
    }
    return d.empty() ? "" : "<path d=\"" + d + "\"/>";
  }

  std::string dot(const ChartSeries& series, const ChartPoint& point) const {
    if (!std::isfinite(point.y)) return {};
    const std::string title = (point.label.empty() ? series.label : point.label) + ": " + number_text(point.y);
    return "<circle" + attribute("cx", px(point.x)) + attribute("cy", py(point.y)) +
           attribute("r", series.mark == ChartMark::interval ? 3.8 : 3.2) + "><title>" + escape(title) +
           "</title></circle>";
  }

  /// The end of a bar: a line, or an arrow if the limit is outside the axis. `direction` is -1 for the upper end.
  static std::string bar_end(double x, double y, bool is_open, int direction) {
    if (!is_open) return svg_line("bar", x - 5, y, x + 5, y);
    const double base = y - 6 * direction;
    return svg_line("bar", x, y, x - 5, base) + svg_line("bar", x, y, x + 5, base);
  }

  std::string bar(const ChartPoint& point) const {
    if (std::isnan(point.low) || std::isnan(point.high) || !std::isfinite(point.y)) return {};
    const double x = px(point.x), low = py(point.low), high = py(point.high);
    // If the whole interval is outside the axis, only the arrow that points towards it is drawn.
    std::string svg = svg_line("bar", x, low, x, high);
    if (point.low <= y_.range.high) svg += bar_end(x, low, point.low < y_.range.low, 1);
    if (point.high >= y_.range.low) svg += bar_end(x, high, point.high > y_.range.high, -1);
    return svg;
  }

  std::string series_svg(std::size_t index) const {
    const ChartSeries& series = chart_.series[index];
    std::string body;
    if (series.mark == ChartMark::line) {
      body = path(series);
      // Short lines also show their points: a line with a single point would be invisible.
      constexpr std::size_t max_marked_points = 12;
      if (series.points.size() <= max_marked_points && !series.faint) {
        for (const auto& point : series.points) body += dot(series, point);
      }
    }
    for (const auto& point : series.points) {
      if (series.mark == ChartMark::interval) body += bar(point);
      if (series.mark != ChartMark::line) body += dot(series, point);
    }
    if (body.empty()) return {};
    return format_text("<g class=\"s c{}{}{}\" data-series=\"{}\">{}</g>", series.colour, series.faint ? " faint" : "",
                       dash_of(chart_, index), legend_index(chart_, index), body);
  }

  const Chart& chart_;
  Axis x_, y_;
};

bool has_points(const Chart& chart) {
  return std::any_of(chart.series.begin(), chart.series.end(), [](const ChartSeries& series) {
    return std::any_of(series.points.begin(), series.points.end(),
                       [](const ChartPoint& point) { return std::isfinite(point.y); });
  });
}

/// Rounds to four significant digits, as many as are shown on hover.
nlohmann::ordered_json rounded(double value) {
  if (!std::isfinite(value)) return nullptr;
  return std::stod(format_text("{:.4g}", value));
}

/// A limit of an interval. JSON has no infinity, so an infinite limit is stored as text.
nlohmann::ordered_json rounded_limit(double value) {
  return std::isinf(value) ? nlohmann::ordered_json(number_text(value)) : rounded(value);
}

nlohmann::ordered_json chart_numbers(const Chart& chart, const Drawing& drawing) {
  using Json = nlohmann::ordered_json;
  Json json = {{"plot", {left, top, plot_width, plot_height}},
               {"x", {drawing.x().range.low, drawing.x().range.high}},
               {"y", {drawing.y().range.low, drawing.y().range.high, chart.y.logarithmic}},
               {"xlabel", chart.x.label}};
  if (!chart.x.categories.empty()) json["categories"] = chart.x.categories;
  json["series"] = Json::array();
  for (const auto& series : chart.series) {
    if (series.label.empty()) continue;
    Json xs = Json::array(), ys = Json::array();
    for (const auto& point : series.points) {
      xs.push_back(chart.x.categories.empty() ? Json(std::llround(point.x)) : Json(point.x));
      ys.push_back(rounded(point.y));
    }
    Json entry = {{"label", series.label}, {"colour", series.colour}, {"x", xs}, {"y", ys}};
    if (std::any_of(series.points.begin(), series.points.end(),
                    [](const ChartPoint& point) { return !point.label.empty(); })) {
      entry["names"] = Json::array();
      for (const auto& point : series.points) entry["names"].push_back(point.label);
    }
    if (series.mark == ChartMark::interval) {
      entry["low"] = Json::array();
      entry["high"] = Json::array();
      for (const auto& point : series.points) {
        entry["low"].push_back(rounded_limit(point.low));
        entry["high"].push_back(rounded_limit(point.high));
      }
    }
    json["series"].push_back(std::move(entry));
  }
  return json;
}

std::string legend(const Chart& chart) {
  std::string items;
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    const ChartSeries& series = chart.series[i];
    if (series.label.empty()) continue;
    const std::string swatch = series.mark == ChartMark::line ? dash_of(chart, i) : series.faint ? " hollow" : " dot";
    items += element("li", format_text("class=\"c{}{}\"", series.colour, swatch), escape(series.label));
  }
  return items.empty() ? "" : element("ul", "class=\"legend\"", items);
}

// ---- Curves ----

/// The upper ends of the intervals into which mean_curve divides x.
std::vector<double> interval_ends(const std::vector<Curve>& curves, std::size_t max_points) {
  std::set<double> values;
  for (const auto& curve : curves) {
    for (const auto& point : curve) values.insert(point.x);
  }
  if (values.size() <= max_points) return {values.begin(), values.end()};
  const double low = *values.begin(), high = *values.rbegin();
  std::vector<double> ends;
  for (std::size_t i = 1; i <= max_points; ++i) {
    ends.push_back(i == max_points ? high
                                   : low + (high - low) * static_cast<double>(i) / static_cast<double>(max_points));
  }
  return ends;
}

}  // namespace

int palette_colour(std::size_t i, std::size_t count) {
  if (count <= 1) return 0;
  return static_cast<int>(std::lround(static_cast<double>(i) * (palette_colours - 1) / static_cast<double>(count - 1)));
}

void FiniteMean::add(double value) {
  if (!std::isfinite(value)) return;
  sum_ += value;
  ++count_;
}

double FiniteMean::value() const {
  return count_ == 0 ? std::numeric_limits<double>::quiet_NaN() : sum_ / static_cast<double>(count_);
}

Curve mean_curve(const std::vector<Curve>& curves, std::size_t max_points) {
  const auto ends = interval_ends(curves, max_points);
  std::vector<FiniteMean> x(ends.size()), y(ends.size());
  for (const auto& curve : curves) {
    std::vector<FiniteMean> means(ends.size());
    for (const auto& point : curve) {
      const auto i = static_cast<std::size_t>(std::lower_bound(ends.begin(), ends.end(), point.x) - ends.begin());
      x[i].add(point.x);
      means[i].add(point.y);
    }
    for (std::size_t i = 0; i < ends.size(); ++i) y[i].add(means[i].value());
  }
  Curve result;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (!x[i].empty()) result.push_back({x[i].value(), y[i].value()});
  }
  return result;
}

std::vector<ChartPoint> chart_points(const Curve& curve) {
  std::vector<ChartPoint> points;
  for (const auto& point : curve) points.push_back({point.x, point.y, 0, 0, {}});
  return points;
}

std::string chart_html(const Chart& chart, nlohmann::ordered_json& numbers) {
  if (!has_points(chart)) return {};
  const Drawing drawing(chart);
  const std::string place = format_text("class=\"chart\" data-chart=\"{}\"", numbers.size());
  numbers.push_back(chart_numbers(chart, drawing));
  std::string content = element("figcaption", "", escape(chart.title)) + drawing.svg() + legend(chart);
  if (!chart.note.empty()) content += element("p", "class=\"note\"", escape(chart.note));
  return element("figure", place, content) + "\n";
}

std::string chart_grid(const std::vector<Chart>& charts, nlohmann::ordered_json& numbers) {
  std::string figures;
  for (const auto& chart : charts) figures += chart_html(chart, numbers);
  return figures.empty() ? "" : element("div", "class=\"charts\"", "\n" + figures) + "\n";
}

}  // namespace slopegan
