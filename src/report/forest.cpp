#include <algorithm>
#include <cmath>
#include <utility>

#include "images/axis.h"
#include "report/html.h"
#include "report/sections.h"
#include "report/svg.h"
#include "support/text.h"

namespace slopegan {

namespace {

/// Sizes in SVG user units. One unit is about one CSS pixel on a phone. Ratios are printed to the right of the plot.
constexpr double forest_width = 440, plot_left = 96, plot_right = 314, row_height = 36, name_height = 14,
                 forest_top = 10, forest_bottom = 44, arrow_length = 8, value_gap = 16;

/// The axis of a comparison covers at most the ratios from 1/4 to 4, so that a useless slope does not hide the
/// differences between good ones. A limit beyond the ends of the axis is drawn as an arrow, and its value is printed.
constexpr double most_compared_ratio = 4;

struct ForestRow {
  const SlopeFinding& slope;
  std::string name, verdict, tip;
  std::string condition = {};
  Verdict mark = slope.verdict;
};

std::string short_number(double ratio) {
  if (std::isinf(ratio)) return "∞";
  if (ratio <= 0) return "0";
  return format_text("{:.{}f}", ratio, ratio < 10 ? 2 : ratio < 100 ? 1 : 0);
}

bool is_drawable(const SlopeFinding& slope) { return slope.ratio && *slope.ratio > 0 && std::isfinite(*slope.ratio); }

Axis ratio_axis(const std::vector<const SlopeFinding*>& slopes) {
  std::vector<double> values = {0.9, 1.1};
  for (const auto* slope : slopes) {
    if (is_drawable(*slope)) values.push_back(*slope->ratio);
    if (!has_limits(*slope)) continue;
    for (const double limit : {slope->limits.low, slope->limits.high}) {
      if (limit > 1e-3 && limit < 1e3) values.push_back(limit);
    }
  }
  return Axis::fit_padded(values, true);
}

std::string ratio_and_limits(const SlopeFinding& slope) {
  if (slope.verdict == Verdict::control) return "1";
  if (!slope.has_fds && slope.failed == slope.arms) return "failed";
  if (!slope.has_fds) return slope.control_failed == slope.control_arms ? "control failed" : "–";
  const std::string ratio = slope.ratio ? short_number(*slope.ratio) : "–";
  if (!has_limits(slope)) return ratio;
  if (!(slope.limits.low > 0) && std::isinf(slope.limits.high)) return ratio + " (no limits)";
  return ratio + " (" + short_number(slope.limits.low) + "–" + short_number(slope.limits.high) + ")";
}

/// Shortens a text that is longer than `limit` bytes, so that it is not wider than the drawing. Does not split
/// characters.
std::string cut(const std::string& text, std::size_t limit) {
  if (text.size() <= limit) return text;
  std::size_t end = limit - 1;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

class Forest {
 public:
  /// `names_above`: whether names are drawn above the interval instead of to the left of it, because they are long.
  Forest(std::vector<ForestRow> rows, const Axis& axis, bool names_above)
      : rows_(std::move(rows)), axis_(axis), names_above_(names_above) {
    const auto has_condition = [](const ForestRow& entry) { return !entry.condition.empty(); };
    has_conditions_ = std::any_of(rows_.begin(), rows_.end(), has_condition);
    height_ = row_height + (names_above ? name_height : 0) + (has_conditions_ ? name_height : 0);
  }

  std::string svg(const std::string& label) const {
    const double total = plot_bottom() + forest_bottom;
    std::string body;
    for (const double tick : axis_.ticks(5)) {
      body += svg_line("rule", px(tick), forest_top, px(tick), plot_bottom());
      body += svg_text(px(tick), plot_bottom() + 16, "tick middle", tick_text(tick));
    }
    body += svg_line("reference", px(1), forest_top, px(1), plot_bottom());
    body += svg_text((plot_left + plot_right) / 2, total - 8, "label middle",
                     "FD relative to the control, lower is better");
    for (std::size_t i = 0; i < rows_.size(); ++i) body += row(i);
    return format_text("<svg viewBox=\"0 0 {:g} {:g}\" role=\"img\" aria-label=\"{}\">{}</svg>", forest_width, total,
                       escape(label), body);
  }

 private:
  double plot_bottom() const { return forest_top + height_ * static_cast<double>(rows_.size()); }

  /// Values outside the axis are drawn at its ends.
  double px(double ratio) const {
    const double position = ratio > 0 ? std::clamp(axis_.position(ratio), 0.0, 1.0) : 0;
    return plot_left + (plot_right - plot_left) * position;
  }

  /// The end of a bar at a limit on the axis.
  static std::string cap(double x, double y) { return svg_line("bar", x, y - 5, x, y + 5); }

  /// An arrow from the end of the axis outwards. It is longer than half a mark, because the mark of a ratio outside the
  /// axis is drawn over its beginning.
  static std::string arrow(double x, double y, int direction) {
    const double tip = x + arrow_length * direction, base = tip - 6 * direction;
    return svg_line("bar", x, y, tip, y) + svg_line("bar", tip, y, base, y - 5) + svg_line("bar", tip, y, base, y + 5);
  }

  /// A limit outside the axis is drawn as an arrow instead of a cap, and an interval that lies outside as one arrow: a
  /// cap at the end of the axis would look like a limit there.
  std::string interval(const SlopeFinding& slope, double y) const {
    if (!has_limits(slope)) return {};
    const auto& [axis_low, axis_high] = axis_.range;
    const auto& [low, high] = slope.limits;
    if (low > axis_high) return arrow(plot_right, y, 1);
    if (high < axis_low) return arrow(plot_left, y, -1);
    const double first = px(low), last = px(std::min(high, axis_high));
    return svg_line("bar", first, y, last, y) + (low < axis_low ? arrow(first, y, -1) : cap(first, y)) +
           (high > axis_high ? arrow(last, y, 1) : cap(last, y));
  }

  /// The name and the verdict of a row whose interval is drawn at `y`.
  std::string names(const ForestRow& entry, double y) const {
    if (!names_above_) return svg_text(0, y - 2, "name", entry.name) + svg_text(0, y + 12, "verdict", entry.verdict);
    std::string texts = svg_text(0, y - (has_conditions_ ? 15 + name_height : 15), "name", cut(entry.name, 60)) +
                        svg_text(0, y + 4, "verdict", entry.verdict);
    if (!entry.condition.empty()) texts += svg_text(0, y - 15, "condition", cut(entry.condition, 78));
    return texts;
  }

  std::string row(std::size_t i) const {
    const auto& entry = rows_[i];
    const auto& slope = entry.slope;
    const double row_top = forest_top + height_ * static_cast<double>(i);
    const double y = row_top + height_ - row_height / 2;
    std::string content = format_text("<rect class=\"hit\" x=\"0\" y=\"{:.1f}\" width=\"{:g}\" height=\"{:g}\"/>",
                                      row_top, forest_width, height_);
    content += names(entry, y) + interval(slope, y);
    if (is_drawable(slope)) {
      content += verdict_mark(entry.mark, px(*slope.ratio), y);
    } else if (slope.ratio) {  // most arms of the slope, or of the control, failed
      content += verdict_mark(entry.mark, *slope.ratio > 0 ? plot_right : plot_left, y);
    }
    content += svg_text(plot_right + value_gap, y + 4, "value", ratio_and_limits(slope));
    return format_text("<g class=\"{}\" tabindex=\"0\" data-tip=\"", verdict_class(slope.verdict)) + escape(entry.tip) +
           "\">" + content + "</g>\n";
  }

  std::vector<ForestRow> rows_;
  Axis axis_;
  bool names_above_;
  bool has_conditions_ = false;
  double height_ = row_height;
};

std::string tip_of(const Findings& findings, const SlopeFinding& slope) {
  const bool has_score = !slope.score.empty() && slope.verdict != Verdict::control;
  return finding_sentence(findings, slope) + (has_score ? "\n" + slope.score : "");
}

std::string forest_figure(const Forest& forest, const std::string& caption, const std::string& label) {
  return element("figure", "class=\"forest\" data-tips", element("figcaption", "", caption) + "\n" + forest.svg(label));
}

}  // namespace

std::string forest_plot(const Findings& findings) {
  if (findings.slopes.size() < 2) return {};
  const auto has_result = [](const SlopeFinding& slope) {
    return slope.verdict != Verdict::control && (slope.ratio || is_decided(slope.verdict));
  };
  if (std::none_of(findings.slopes.begin(), findings.slopes.end(), has_result)) return {};
  std::vector<const SlopeFinding*> slopes;
  std::vector<ForestRow> rows;
  for (const auto& slope : findings.slopes) {
    slopes.push_back(&slope);
    const bool is_undetected = slope.verdict == Verdict::no_difference_detected;
    rows.push_back({slope, shortest(slope.negative_slope),
                    is_undetected ? "not shown to differ" : verdict_words(slope.verdict), tip_of(findings, slope)});
  }
  return forest_figure(Forest(std::move(rows), ratio_axis(slopes), /*names_above=*/false),
                       "FD of each slope relative to the control",
                       "FD of each slope relative to the control, with intervals");
}

std::string forest_plots(const std::vector<ComparedResult>& results) {
  std::vector<const SlopeFinding*> all;
  for (const double slope : compared_slopes(results)) {
    for (const auto& result : results) {
      if (const auto* finding = finding_of(result, slope)) all.push_back(finding);
    }
  }
  Axis axis = ratio_axis(all);
  axis.range.low = std::max(axis.range.low, 1 / most_compared_ratio);
  axis.range.high = std::min(axis.range.high, most_compared_ratio);
  std::string figures;
  for (const double slope : compared_slopes(results)) {
    std::vector<ForestRow> rows;
    for (const auto& result : results) {
      const auto* finding = finding_of(result, slope);
      if (finding == nullptr) continue;
      const Verdict verdict = compared_verdict(result.findings, *finding);
      rows.push_back({*finding, result.sweep, verdict_words(verdict),
                      full_name(result) + "\n" + tip_of(result.findings, *finding), result.condition,
                      verdict == Verdict::equivalent ? verdict : finding->verdict});
    }
    figures +=
        forest_figure(Forest(std::move(rows), axis, /*names_above=*/true), "Slope " + shortest(slope),
                      "FD of slope " + shortest(slope) + " relative to the control in each sweep, with intervals");
  }
  return figures.empty() ? "" : element("div", "class=\"verdicts\"", figures);
}

}  // namespace slopegan
