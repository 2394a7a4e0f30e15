#include <algorithm>
#include <cmath>

#include "images/axis.h"
#include "report/html.h"
#include "report/sections.h"
#include "report/svg.h"
#include "support/text.h"

namespace slopegan {

namespace {

/// In SVG user units, which are about one CSS pixel on a phone. The numbers are to the right of the plot.
constexpr double forest_width = 440, plot_left = 96, plot_right = 318, row_height = 36, forest_top = 10,
                 forest_bottom = 44;

std::string short_number(double ratio) {
  if (std::isinf(ratio)) return "∞";
  return format_text("{:.{}f}", ratio, ratio < 10 ? 2 : ratio < 100 ? 1 : 0);
}

bool is_drawable(const SlopeFinding& slope) { return slope.ratio && *slope.ratio > 0 && std::isfinite(*slope.ratio); }

Axis ratio_axis(const Findings& findings) {
  std::vector<double> values = {0.9, 1.1};
  for (const auto& slope : findings.slopes) {
    if (is_drawable(slope)) values.push_back(*slope.ratio);
    if (slope.standing == Standing::unknown || slope.standing == Standing::given_up) continue;
    for (const double limit : {slope.limits.low, slope.limits.high}) {
      if (limit > 1e-3 && limit < 1e3) values.push_back(limit);
    }
  }
  return Axis::fit_padded(values, true);
}

std::string ratio_and_limits(const SlopeFinding& slope) {
  if (slope.standing == Standing::control) return "1";
  const std::string ratio = slope.ratio ? short_number(*slope.ratio) : "–";
  if (slope.standing == Standing::unknown || slope.standing == Standing::given_up) return ratio;
  const bool has_limits = slope.limits.low > 0 || std::isfinite(slope.limits.high);
  if (!has_limits) return ratio + " (no limits)";
  return ratio + " (" + short_number(slope.limits.low) + "–" + short_number(slope.limits.high) + ")";
}

class Forest {
 public:
  explicit Forest(const Findings& findings) : findings_(findings), axis_(ratio_axis(findings)) {}

  std::string svg() const {
    const double total = plot_bottom() + forest_bottom;
    std::string body;
    for (const double tick : axis_.ticks(5)) {
      body += svg_line("rule", px(tick), forest_top, px(tick), plot_bottom());
      body += svg_text(px(tick), plot_bottom() + 16, "tick middle", tick_text(tick));
    }
    body += svg_line("reference", px(1), forest_top, px(1), plot_bottom());
    body += svg_text((plot_left + plot_right) / 2, total - 8, "label middle",
                     "FD relative to the control, lower is better");
    for (std::size_t i = 0; i < findings_.slopes.size(); ++i) body += row(i);
    return format_text(
        "<svg viewBox=\"0 0 {:g} {:g}\" role=\"img\" aria-label=\"FD of each slope relative to the "
        "control, with intervals\">{}</svg>",
        forest_width, total, body);
  }

 private:
  double plot_bottom() const { return forest_top + row_height * static_cast<double>(findings_.slopes.size()); }

  /// Values outside the axis are drawn at its ends.
  double px(double ratio) const {
    const double position = ratio > 0 ? std::clamp(axis_.position(ratio), 0.0, 1.0) : 0;
    return plot_left + (plot_right - plot_left) * position;
  }

  /// An infinite limit is drawn as an arrow instead of a cap.
  static std::string cap(double x, double y, bool is_open, int direction) {
    if (!is_open) return svg_line("bar", x, y - 5, x, y + 5);
    return svg_line("bar", x, y, x - 6 * direction, y - 5) + svg_line("bar", x, y, x - 6 * direction, y + 5);
  }

  std::string interval(const SlopeFinding& slope, double y) const {
    if (slope.standing == Standing::unknown || slope.standing == Standing::given_up ||
        slope.standing == Standing::control)
      return {};
    const double low = px(slope.limits.low), high = px(std::min(slope.limits.high, axis_.range.high));
    return svg_line("bar", low, y, high, y) + cap(low, y, !(slope.limits.low > 0), -1) +
           cap(high, y, std::isinf(slope.limits.high), 1);
  }

  std::string row(std::size_t i) const {
    const auto& slope = findings_.slopes[i];
    const double y = forest_top + row_height * (static_cast<double>(i) + 0.5);
    const std::string sentence = finding_sentence(findings_, slope);
    std::string content = format_text("<rect class=\"hit\" x=\"0\" y=\"{:.1f}\" width=\"{:g}\" height=\"{:g}\"/>",
                                      y - row_height / 2, forest_width, row_height);
    content += svg_text(0, y - 2, "name", shortest(slope.negative_slope)) +
               svg_text(0, y + 12, "verdict", verdict_name(slope.standing));
    content += interval(slope, y);
    if (is_drawable(slope)) {
      content += verdict_mark(slope.standing, px(*slope.ratio), y);
    } else if (slope.ratio) {  // most arms of the slope, or of the control, failed
      content += verdict_mark(slope.standing, *slope.ratio > 0 ? plot_right : plot_left, y);
    }
    content += svg_text(plot_right + 12, y + 4, "value", ratio_and_limits(slope));
    return format_text("<g class=\"{}\" tabindex=\"0\" data-tip=\"", verdict_class(slope.standing)) +
           escape(sentence + (slope.score.empty() || slope.standing == Standing::control ? "" : "\n" + slope.score)) +
           "\">" + content + "</g>\n";
  }

  const Findings& findings_;
  Axis axis_;
};

}  // namespace

std::string forest_plot(const Findings& findings) {
  if (findings.slopes.size() < 2) return {};
  const auto has_ratio = [](const SlopeFinding& slope) { return slope.standing != Standing::control && slope.ratio; };
  if (std::none_of(findings.slopes.begin(), findings.slopes.end(), has_ratio)) return {};
  return element("figure", "class=\"forest\" data-tips",
                 element("figcaption", "", "FD of each slope relative to the control") + "\n" + Forest(findings).svg());
}

}  // namespace slopegan
