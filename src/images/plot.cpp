#include "images/plot.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <opencv2/imgproc.hpp>

#include "images/draw_text.h"
#include "support/text.h"

namespace slopegan {

const std::vector<cv::Scalar> plot_colours = {
    {0, 94, 213}, {178, 114, 0}, {115, 158, 0}, {167, 121, 204}, {0, 159, 230}};

namespace {

// Lengths in pixels at a pixel ratio of 1.
constexpr int plot_margin = 26, panel_width = 430, panel_height = 330, panel_gap = 34;
constexpr int left_of_axes = 62, below_axes = 46, swatch = 22;

struct PlotStyle {
  int unit;
  PictureColours colours;
  TextStyle title, subtitle, panel_title, small_print;

  explicit PlotStyle(const PictureStyle& style) : unit(style.pixel_ratio), colours(colours_of(style)) {
    title = {20 * unit, true, colours.strong};
    subtitle = {12 * unit, false, colours.muted};
    panel_title = {14 * unit, true, colours.text};
    small_print = {11 * unit, false, colours.muted};
  }
};

class PanelPainter {
 public:
  PanelPainter(cv::Mat& canvas, const Panel& panel, cv::Point corner, const PlotStyle& style)
      : canvas_(canvas), panel_(panel), corner_(corner), style_(style), unit_(style.unit) {
    const int top = corner.y + line_height(style_.panel_title) + 6 * unit_ + legend_height();
    const int bottom = corner.y + (panel_height - below_axes) * unit_;
    frame_ = cv::Rect(corner.x + left_of_axes * unit_, top, (panel_width - left_of_axes) * unit_, bottom - top);
    std::vector<double> x, y;
    for (const auto& series : panel.series) {
      x.insert(x.end(), series.x.begin(), series.x.end());
      y.insert(y.end(), series.y.begin(), series.y.end());
    }
    x_ = Axis::fit(x, panel.log_x);
    y_ = Axis::fit(y, false);
    if (!panel.categories.empty()) x_.range = {-0.6, static_cast<double>(panel.categories.size()) - 0.4};
    if (panel.y_range) y_.range = *panel.y_range;
  }

  void paint() {
    const auto title = shorten(panel_.title, panel_width * unit_, style_.panel_title);
    draw_text(canvas_, title, corner_, style_.panel_title);
    paint_legend();
    paint_y_axis();
    if (panel_.categories.empty()) {
      paint_x_axis();
    } else {
      paint_categories();
    }
    rule({frame_.x, frame_.y + frame_.height, frame_.width, unit_}, style_.colours.line);
    rule({frame_.x, frame_.y, unit_, frame_.height + unit_}, style_.colours.line);
    for (const auto& series : panel_.series) paint_series(series);
  }

 private:
  double x_pixel(double value) const { return frame_.x + x_.position(value) * frame_.width; }
  double y_pixel(double value) const { return frame_.y + frame_.height - y_.position(value) * frame_.height; }

  int text_width(const std::string& text) const { return text_size(text, style_.small_print).width; }
  int small_line() const { return line_height(style_.small_print); }
  void rule(cv::Rect line, const cv::Scalar& colour) { canvas_(line & cv::Rect({}, canvas_.size())).setTo(colour); }
  void small_text(const std::string& text, cv::Point at) { draw_text(canvas_, text, at, style_.small_print); }

  /// The entries of the legend, wrapped into lines, with their positions relative to the legend.
  std::vector<std::pair<const Series*, cv::Point>> legend() const {
    std::vector<std::pair<const Series*, cv::Point>> places;
    cv::Point at(0, 0);
    for (const auto& series : panel_.series) {
      if (series.label.empty()) continue;
      const int width = (swatch + 6 + 16) * unit_ + text_width(series.label);
      if (at.x > 0 && at.x + width > panel_width * unit_) at = {0, at.y + small_line() + 3 * unit_};
      places.emplace_back(&series, at);
      at.x += width;
    }
    return places;
  }

  int legend_height() const {
    const auto places = legend();
    return places.empty() ? 6 * unit_ : places.back().second.y + small_line() + 12 * unit_;
  }

  void paint_legend() {
    const cv::Point start = corner_ + cv::Point(0, line_height(style_.panel_title) + 6 * unit_);
    const int width = swatch * unit_;
    for (const auto& [series, place] : legend()) {
      const cv::Point at = start + place;
      const int middle = at.y + small_line() / 2;
      switch (series->mark) {
        case Mark::bars:
          rule({at.x + 4 * unit_, middle - 5 * unit_, width - 8 * unit_, 10 * unit_}, series->colour);
          break;
        case Mark::points:
          dot({at.x + width / 2.0, static_cast<double>(middle)}, series->colour);
          break;
        case Mark::line:
          stroke({{static_cast<double>(at.x), static_cast<double>(middle)},
                  {static_cast<double>(at.x + width), static_cast<double>(middle)}},
                 series->colour);
      }
      small_text(series->label, {at.x + width + 6 * unit_, at.y});
    }
  }

  void paint_y_axis() {
    for (const double tick : y_.ticks(5)) {
      const int y = static_cast<int>(std::lround(y_pixel(tick)));
      rule({frame_.x, y, frame_.width, unit_}, style_.colours.faint_line);
      const auto text = tick_text(tick);
      small_text(text, {frame_.x - 8 * unit_ - text_width(text), y - small_line() / 2});
    }
    const int height = text_width(panel_.y_label);
    draw_vertical_text(canvas_, panel_.y_label, {corner_.x, frame_.y + (frame_.height - height) / 2},
                       style_.small_print);
  }

  void x_tick(double at, const std::string& text, int room) {
    const int x = static_cast<int>(std::lround(x_pixel(at)));
    const auto shown = shorten(text, room, style_.small_print);
    small_text(shown, {x - text_width(shown) / 2, frame_.y + frame_.height + 6 * unit_});
  }

  void paint_x_axis() {
    for (const double tick : x_.ticks(6)) {
      const int x = static_cast<int>(std::lround(x_pixel(tick)));
      rule({x, frame_.y, unit_, frame_.height}, style_.colours.faint_line);
      x_tick(tick, tick_text(tick), frame_.width);
    }
    paint_x_label();
  }

  void paint_categories() {
    const int room = frame_.width / static_cast<int>(panel_.categories.size()) - 4 * unit_;
    for (std::size_t i = 0; i < panel_.categories.size(); ++i) {
      x_tick(static_cast<double>(i), panel_.categories[i], room);
    }
    paint_x_label();
  }

  void paint_x_label() {
    const int x = frame_.x + (frame_.width - text_width(panel_.x_label)) / 2;
    small_text(panel_.x_label, {x, frame_.y + frame_.height + 9 * unit_ + small_line()});
  }

  void paint_series(const Series& series) {
    std::vector<cv::Point2d> points;
    for (std::size_t i = 0; i < series.x.size(); ++i) {
      if (x_.can_show(series.x[i]) && y_.can_show(series.y[i])) {
        points.emplace_back(x_pixel(series.x[i]), y_pixel(series.y[i]));
      }
    }
    switch (series.mark) {
      case Mark::points:
        for (const auto& point : points) dot(point, series.colour);
        break;
      case Mark::bars:
        for (const auto& point : points) bar(point, series.colour);
        break;
      case Mark::line:
        stroke(points, series.colour);
    }
  }

  /// Coordinates in OpenCV's fixed-point format with 4 fractional bits.
  static cv::Point fixed(cv::Point2d point) {
    return {static_cast<int>(std::lround(point.x * 16)), static_cast<int>(std::lround(point.y * 16))};
  }

  void dot(cv::Point2d centre, const cv::Scalar& colour) {
    cv::circle(canvas_, fixed(centre), 5 * 16 * unit_, style_.colours.background, cv::FILLED, cv::LINE_AA, 4);
    cv::circle(canvas_, fixed(centre), (4 * 16 - 6) * unit_, colour, cv::FILLED, cv::LINE_AA, 4);
  }

  void bar(cv::Point2d top, const cv::Scalar& colour) {
    const double half = 0.32 * frame_.width / static_cast<double>(std::max<std::size_t>(panel_.categories.size(), 1));
    const int left = static_cast<int>(std::lround(top.x - half)), right = static_cast<int>(std::lround(top.x + half));
    const int y = static_cast<int>(std::lround(top.y)), bottom = frame_.y + frame_.height;
    if (y < bottom) rule(cv::Rect({left, y}, cv::Point(right, bottom)), colour);
  }

  /// Skips points that are less than one pixel away from the last drawn point, because the antialiased edges of many
  /// short segments would add up to a thicker line.
  void stroke(const std::vector<cv::Point2d>& points, const cv::Scalar& colour) {
    std::size_t from = 0;
    for (std::size_t i = 1; i < points.size(); ++i) {
      if (cv::norm(points[i] - points[from]) < 1 && i + 1 < points.size()) continue;
      cv::line(canvas_, fixed(points[from]), fixed(points[i]), colour, 2 * unit_, cv::LINE_AA, 4);
      from = i;
    }
  }

  cv::Mat& canvas_;
  const Panel& panel_;
  cv::Point corner_;
  const PlotStyle& style_;
  const int unit_;
  cv::Rect frame_;
  Axis x_, y_;
};

}  // namespace

cv::Mat draw_plot(const Plot& plot, const PictureStyle& picture) {
  for (const auto& panel : plot.panels) {
    for (const auto& series : panel.series) {
      if (series.x.size() != series.y.size())
        throw std::invalid_argument("draw_plot: a series has different numbers of x and y values");
    }
  }
  const PlotStyle style(picture);
  const int unit = style.unit, margin = plot_margin * unit, gap = panel_gap * unit;
  const int columns = std::max(1, plot.columns);
  const int rows = (static_cast<int>(plot.panels.size()) + columns - 1) / columns;
  const int text_width = columns * panel_width * unit + (columns - 1) * gap;
  const auto subtitle = wrap(plot.subtitle, text_width, style.subtitle, 2);
  int y = margin + line_height(style.title) + 5 * unit;
  const int top = y + static_cast<int>(subtitle.size()) * line_height(style.subtitle) + 20 * unit;
  const cv::Size size(2 * margin + text_width, top + rows * panel_height * unit + std::max(0, rows - 1) * gap + margin);
  cv::Mat canvas(size, CV_8UC3, style.colours.background);
  draw_text(canvas, shorten(plot.title, text_width, style.title), {margin, margin}, style.title);
  for (const auto& line : subtitle) {
    draw_text(canvas, line, {margin, y}, style.subtitle);
    y += line_height(style.subtitle);
  }
  for (std::size_t i = 0; i < plot.panels.size(); ++i) {
    const int column = static_cast<int>(i) % columns, row = static_cast<int>(i) / columns;
    const cv::Point corner(margin + column * (panel_width * unit + gap), top + row * (panel_height * unit + gap));
    PanelPainter(canvas, plot.panels[i], corner, style).paint();
  }
  return canvas;
}

}  // namespace slopegan
