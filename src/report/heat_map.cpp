#include <algorithm>
#include <cmath>

#include "report/html.h"
#include "report/sections.h"
#include "report/svg.h"
#include "support/ranges.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr double map_width = 440, slopes_width = 60, map_top = 20, map_row = 30;
constexpr int shades = 10;  // .h0 to .h10 in the style sheet

/// The shade of a ratio to the control. Ratios of at least 2 or at most 1/2 have the strongest shade.
int shade_of(double ratio) {
  if (!(ratio > 0) || std::isinf(ratio)) return shades;
  return static_cast<int>(std::lround(shades * std::min(1.0, std::abs(std::log2(ratio)))));
}

/// "A", "B", …, "Z", "27".
std::string column_name(std::size_t i) {
  return i < 26 ? std::string(1, static_cast<char>('A' + i)) : std::to_string(i + 1);
}

std::string cell_text(const SlopeFinding& slope) {
  if (slope.verdict == Verdict::not_comparable || !slope.ratio) return "–";
  if (std::isinf(*slope.ratio)) return "∞";
  if (*slope.ratio <= 0) return "0";  // at least half of the arms of the control failed
  return format_text("{:.{}f}", *slope.ratio, *slope.ratio < 10 ? 2 : *slope.ratio < 100 ? 1 : 0);
}

/// One row per slope and one column per condition.
class HeatMap {
 public:
  explicit HeatMap(const CrossStatistics& cross) {
    for (const auto& condition : cross.conditions) {
      columns_.push_back(findings_of(condition.statistics));
      names_.push_back(condition_text(condition.settings));
      for (const auto& slope : columns_.back().slopes) slopes_.push_back(slope.negative_slope);
    }
    slopes_ = sorted_unique(std::move(slopes_));
    column_ =
        std::min(90.0, (map_width - slopes_width) / static_cast<double>(std::max<std::size_t>(1, columns_.size())));
  }

  std::string svg() const {
    std::string body;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      body += svg_text(x(i) + column_ / 2, 13, "tick middle", column_name(i));
    }
    for (std::size_t row = 0; row < slopes_.size(); ++row) {
      const double y = map_top + map_row * static_cast<double>(row);
      body += svg_text(0, y + map_row / 2 + 4, "name", shortest(slopes_[row]));
      for (std::size_t i = 0; i < columns_.size(); ++i) body += cell(i, slopes_[row], y);
    }
    return format_text(
        "<svg viewBox=\"0 0 {:g} {:g}\" role=\"img\" aria-label=\"FD relative to the control, for each "
        "slope and condition\">{}</svg>",
        map_width, map_top + map_row * static_cast<double>(slopes_.size()) + 4, body);
  }

  std::string legend() const {
    std::string items;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      items += element("li", "", column_name(i) + ": " + escape(names_[i]));
    }
    return element("ul", "class=\"notes\"", items);
  }

 private:
  double x(std::size_t column) const { return slopes_width + column_ * static_cast<double>(column); }

  std::string cell(std::size_t column, double negative_slope, double y) const {
    const auto& findings = columns_[column];
    for (const auto& slope : findings.slopes) {
      if (slope.negative_slope != negative_slope) continue;
      const bool is_known = slope.verdict != Verdict::not_comparable && slope.ratio.has_value();
      const double ratio = is_known ? *slope.ratio : 1;
      const char* kind = ratio < 1 ? "v-better" : "v-worse";
      std::string text = cell_text(slope);
      if (is_decided(slope.verdict)) text += " *";
      return format_text("<g class=\"cell {} h{}\" tabindex=\"0\" data-tip=\"", kind, shade_of(ratio)) +
             escape(names_[column] + "\n" + finding_sentence(findings, slope)) + "\">" +
             format_text("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"3\"/>", x(column) + 1,
                         y + 1, column_ - 2, map_row - 2) +
             svg_text(x(column) + column_ / 2, y + map_row / 2 + 4, "value middle", text) + "</g>";
    }
    return {};
  }

  std::vector<Findings> columns_;
  std::vector<std::string> names_;
  std::vector<double> slopes_;
  double column_ = 90;
};

}  // namespace

std::string heat_map(const CrossStatistics& cross) {
  if (cross.conditions.empty()) return {};
  const HeatMap map(cross);
  return element("figure", "class=\"heat-map\" data-tips",
                 element("figcaption", "", "FD relative to the control under each condition") + "\n" + map.svg() +
                     element("p", "class=\"note\"",
                             "A value below 1 means that the slope has a lower FD than the control under the same "
                             "condition. An asterisk marks a significant difference.") +
                     map.legend());
}

}  // namespace slopegan
