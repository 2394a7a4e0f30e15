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

const cv::Scalar paper = cv::Scalar::all(255), grid_line = cv::Scalar::all(232), axis_line = cv::Scalar::all(150);
const TextStyle plot_title{.size = 16, .stroke = 1.9, .colour = cv::Scalar::all(25)};
const TextStyle plot_subtitle{.size = 10, .stroke = 1.1, .colour = cv::Scalar::all(105)};
const TextStyle panel_title{.size = 11.5, .stroke = 1.45, .colour = cv::Scalar::all(35)};
const TextStyle small_print{.size = 9, .stroke = 1.0, .colour = cv::Scalar::all(90)};

constexpr int plot_margin = 26, panel_width = 430, panel_height = 330, panel_gap = 34;
constexpr int left_of_axes = 62, below_axes = 44, swatch = 22;

class PanelPainter {
 public:
  PanelPainter(cv::Mat& canvas, const Panel& panel, cv::Point corner)
      : canvas_(canvas), panel_(panel), corner_(corner) {
    const int top = corner.y + line_height(panel_title) + 4 + legend_height();
    frame_ =
        cv::Rect(corner.x + left_of_axes, top, panel_width - left_of_axes, corner.y + panel_height - below_axes - top);
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
    draw_text(canvas_, shorten(panel_.title, panel_width, panel_title), corner_, panel_title);
    paint_legend();
    paint_y_axis();
    if (panel_.categories.empty()) {
      paint_x_axis();
    } else {
      paint_categories();
    }
    const cv::Point origin(frame_.x, frame_.y + frame_.height);
    cv::line(canvas_, origin, {frame_.x + frame_.width, origin.y}, axis_line);
    cv::line(canvas_, origin, {frame_.x, frame_.y}, axis_line);
    for (const auto& series : panel_.series) paint_series(series);
  }

 private:
  double x_pixel(double value) const { return frame_.x + x_.position(value) * frame_.width; }
  double y_pixel(double value) const { return frame_.y + frame_.height - y_.position(value) * frame_.height; }

  /// The position of each legend entry relative to the legend, wrapped into lines.
  std::vector<std::pair<const Series*, cv::Point>> legend() const {
    std::vector<std::pair<const Series*, cv::Point>> places;
    cv::Point at(0, 0);
    for (const auto& series : panel_.series) {
      if (series.label.empty()) continue;
      const int width = swatch + 6 + text_size(series.label, small_print).width + 14;
      if (at.x > 0 && at.x + width > panel_width) at = {0, at.y + line_height(small_print) + 2};
      places.emplace_back(&series, at);
      at.x += width;
    }
    return places;
  }

  int legend_height() const {
    const auto places = legend();
    return places.empty() ? 6 : places.back().second.y + line_height(small_print) + 12;
  }

  void paint_legend() {
    const cv::Point start = corner_ + cv::Point(0, line_height(panel_title) + 4);
    for (const auto& [series, place] : legend()) {
      const cv::Point at = start + place;
      const int middle = at.y + line_height(small_print) / 2;
      switch (series->mark) {
        case Mark::bars:
          cv::rectangle(canvas_, cv::Rect(at.x + 4, middle - 5, swatch - 8, 10), series->colour, cv::FILLED);
          break;
        case Mark::points:
          dot({at.x + swatch / 2.0, static_cast<double>(middle)}, series->colour);
          break;
        case Mark::line:
          stroke({{static_cast<double>(at.x), static_cast<double>(middle)},
                  {static_cast<double>(at.x + swatch), static_cast<double>(middle)}},
                 series->colour);
      }
      draw_text(canvas_, series->label, {at.x + swatch + 6, at.y}, small_print);
    }
  }

  void paint_y_axis() {
    for (const double tick : y_.ticks(5)) {
      const int y = static_cast<int>(std::lround(y_pixel(tick)));
      cv::line(canvas_, {frame_.x, y}, {frame_.x + frame_.width, y}, grid_line);
      const auto text = format_text("{:.6g}", tick);
      const auto size = text_size(text, small_print);
      draw_text(canvas_, text, {frame_.x - 8 - size.width, y - size.height / 2}, small_print);
    }
    if (panel_.y_label.empty()) return;
    const auto size = text_size(panel_.y_label, small_print);
    cv::Mat label(size, CV_8UC3, paper);
    draw_text(label, panel_.y_label, {0, 0}, small_print);
    cv::rotate(label, label, cv::ROTATE_90_COUNTERCLOCKWISE);
    const cv::Rect place({corner_.x, frame_.y + (frame_.height - label.rows) / 2}, label.size());
    if ((place & cv::Rect({0, 0}, canvas_.size())) == place) label.copyTo(canvas_(place));
  }

  void x_tick(double at, const std::string& text, int room) {
    const int x = static_cast<int>(std::lround(x_pixel(at)));
    const auto shown = shorten(text, room, small_print);
    draw_text(canvas_, shown, {x - text_size(shown, small_print).width / 2, frame_.y + frame_.height + 6}, small_print);
  }

  void paint_x_axis() {
    for (const double tick : x_.ticks(6)) {
      const int x = static_cast<int>(std::lround(x_pixel(tick)));
      cv::line(canvas_, {x, frame_.y}, {x, frame_.y + frame_.height}, grid_line);
      x_tick(tick, format_text("{:.6g}", tick), frame_.width);
    }
    paint_x_label();
  }

  void paint_categories() {
    const int room = frame_.width / static_cast<int>(panel_.categories.size()) - 4;
    for (std::size_t i = 0; i < panel_.categories.size(); ++i) {
      x_tick(static_cast<double>(i), panel_.categories[i], room);
    }
    paint_x_label();
  }

  void paint_x_label() {
    const int width = text_size(panel_.x_label, small_print).width;
    draw_text(canvas_, panel_.x_label,
              {frame_.x + (frame_.width - width) / 2, frame_.y + frame_.height + 8 + line_height(small_print)},
              small_print);
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
    cv::circle(canvas_, fixed(centre), 5 * 16, paper, cv::FILLED, cv::LINE_AA, 4);
    cv::circle(canvas_, fixed(centre), 4 * 16 - 6, colour, cv::FILLED, cv::LINE_AA, 4);
  }

  void bar(cv::Point2d top, const cv::Scalar& colour) {
    const double half = 0.32 * frame_.width / static_cast<double>(std::max<std::size_t>(panel_.categories.size(), 1));
    const int left = static_cast<int>(std::lround(top.x - half)), right = static_cast<int>(std::lround(top.x + half));
    const int y = static_cast<int>(std::lround(top.y)), bottom = frame_.y + frame_.height;
    if (y < bottom) cv::rectangle(canvas_, cv::Rect({left, y}, cv::Point(right, bottom)), colour, cv::FILLED);
  }

  /// Skips points closer than one pixel, because the antialiased edges of many short segments would add up to a thicker
  /// line.
  void stroke(const std::vector<cv::Point2d>& points, const cv::Scalar& colour) {
    std::size_t from = 0;
    for (std::size_t i = 1; i < points.size(); ++i) {
      if (cv::norm(points[i] - points[from]) < 1 && i + 1 < points.size()) continue;
      cv::line(canvas_, fixed(points[from]), fixed(points[i]), colour, 2, cv::LINE_AA, 4);
      from = i;
    }
  }

  cv::Mat& canvas_;
  const Panel& panel_;
  cv::Point corner_;
  cv::Rect frame_;
  Axis x_, y_;
};

}  // namespace

cv::Mat draw_plot(const Plot& plot) {
  for (const auto& panel : plot.panels) {
    for (const auto& series : panel.series) {
      if (series.x.size() != series.y.size())
        throw std::invalid_argument("draw_plot: a series has different numbers of x and y values");
    }
  }
  const int columns = std::max(1, plot.columns);
  const int rows = (static_cast<int>(plot.panels.size()) + columns - 1) / columns;
  const int width = 2 * plot_margin + columns * panel_width + (columns - 1) * panel_gap;
  const auto subtitle = wrap(plot.subtitle, width - 2 * plot_margin, plot_subtitle);
  const int top =
      plot_margin + line_height(plot_title) + 4 + static_cast<int>(subtitle.size()) * line_height(plot_subtitle) + 18;
  cv::Mat canvas(top + rows * panel_height + std::max(0, rows - 1) * panel_gap + plot_margin, width, CV_8UC3, paper);
  draw_text(canvas, shorten(plot.title, width - 2 * plot_margin, plot_title), {plot_margin, plot_margin}, plot_title);
  int y = plot_margin + line_height(plot_title) + 4;
  for (const auto& line : subtitle) {
    draw_text(canvas, line, {plot_margin, y}, plot_subtitle);
    y += line_height(plot_subtitle);
  }
  for (std::size_t i = 0; i < plot.panels.size(); ++i) {
    const int column = static_cast<int>(i) % columns, row = static_cast<int>(i) / columns;
    const cv::Point corner(plot_margin + column * (panel_width + panel_gap), top + row * (panel_height + panel_gap));
    PanelPainter(canvas, plot.panels[i], corner).paint();
  }
  return canvas;
}

}  // namespace slopegan
