#include <algorithm>

#include "report/html.h"
#include "report/sections.h"
#include "report/svg.h"
#include "statistics/race_text.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr double strip_width = 440, names_width = 84, strip_top = 22, strip_row = 26, mark_width = 22;

/// One row per slope with one cell per repeat. After the repeats of each look, there is a gap for the marks of the
/// slopes whose verdict was reached at that look.
class Strip {
 public:
  Strip(const SweepData& sweep, const RaceFile& race)
      : sweep_(sweep), race_(race), plan_(race.planned.plan), findings_(findings_of(race)) {
    const double room = strip_width - names_width - mark_width * static_cast<double>(plan_.looks.size());
    cell_ = std::min(28.0, room / static_cast<double>(std::max<std::int64_t>(1, plan_.looks.back())));
  }

  std::string svg() const {
    const double rows_end = strip_top + strip_row * static_cast<double>(findings_.slopes.size());
    std::string body;
    for (std::size_t look = 0; look < plan_.looks.size(); ++look) {
      const double x = cell_x(plan_.looks[look]) - mark_width / 2;
      body += svg_line(look < race_.state.looks.size() ? "axis" : "rule", x, strip_top - 4, x, rows_end);
      body += svg_text(x, 12, "tick middle", format_text("look {}", look + 1));
    }
    for (std::size_t i = 0; i < findings_.slopes.size(); ++i) body += row(i);
    body += svg_text(names_width, rows_end + 16, "tick", "seeds, in the order of training");
    return format_text(
        "<svg viewBox=\"0 0 {:g} {:g}\" role=\"img\" aria-label=\"Which arms the race trained, and when it "
        "reached the verdict on each slope\">{}</svg>",
        strip_width, rows_end + 24, body);
  }

 private:
  /// The left edge of the cell of a repeat. To its left, there is one gap for each look that needs at most `repeat`
  /// arms.
  double cell_x(std::int64_t repeat) const {
    const auto looks = std::count_if(plan_.looks.begin(), plan_.looks.end(), [&](auto arms) { return arms <= repeat; });
    return names_width + cell_ * static_cast<double>(repeat) + mark_width * static_cast<double>(looks);
  }

  const RunData* run_of(double slope, std::int64_t seed) const {
    for (const auto& arm : sweep_.arms) {
      if (arm.negative_slope == slope && arm.seed == seed) return &arm.run;
    }
    return nullptr;
  }

  std::string cell(double slope, std::int64_t repeat, double y) const {
    const std::int64_t seed = race_.planned.first_seed + repeat;
    const RunData* run = run_of(slope, seed);
    const std::string status =
        run == nullptr || run->status == "pending" || run->status == "not needed" ? "not trained" : run->status;
    const char* kind = status == "not trained" ? "none" : status == "done" ? "done" : run->is_bad() ? "bad" : "part";
    std::string tip = format_text("slope {}, seed {}: {}", shortest(slope), seed, status);
    if (run != nullptr && !run->metrics.empty()) {
      const auto& last = run->metrics.back();
      const auto fd = find_value(last.values, "fd");
      if (fd) tip += format_text(", FD {:.3g} after {} images", *fd, grouped(last.images));
    }
    return format_text(
               "<rect class=\"arm {}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"3\" "
               "data-tip=\"",
               kind, cell_x(repeat) + 1, y - strip_row / 2 + 3, cell_ - 2, strip_row - 6) +
           escape(tip) + "\"/>";
  }

  /// The mark of the decision on a slope, with the finding as a tooltip. Empty if there is no decision yet.
  std::string decision(const SlopeFinding& slope, double y) const {
    for (const auto& state : race_.state.slopes) {
      if (state.negative_slope != slope.negative_slope || state.decision == Verdict::undecided) continue;
      const bool given_up = state.decision == Verdict::given_up;
      const bool has_look = state.look >= 1 && state.look <= std::ssize(plan_.looks);
      if (!given_up && !has_look) continue;
      const double x = given_up ? cell_x(slope.arms) + cell_ / 2
                                : cell_x(plan_.looks[static_cast<std::size_t>(state.look - 1)]) - mark_width / 2;
      const std::string tip = finding_sentence(findings_, slope);
      return format_text("<g class=\"{}\" tabindex=\"0\" data-tip=\"", verdict_class(slope.verdict)) +
             escape(given_up ? tip : format_text("Look {}: {}", state.look, tip)) + "\">" +
             format_text("<rect class=\"hit\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:g}\" height=\"{:g}\"/>",
                         x - mark_width / 2, y - strip_row / 2, mark_width, strip_row) +
             verdict_mark(slope.verdict, x, y) + "</g>";
    }
    return {};
  }

  std::string row(std::size_t i) const {
    const auto& slope = findings_.slopes[i];
    const double y = strip_top + strip_row * (static_cast<double>(i) + 0.5);
    std::string content = svg_text(0, y + 4, "name", shortest(slope.negative_slope));
    for (std::int64_t repeat = 0; repeat < plan_.looks.back(); ++repeat) {
      content += cell(slope.negative_slope, repeat, y);
    }
    return content + decision(slope, y) + "\n";
  }

  const SweepData& sweep_;
  const RaceFile& race_;
  const RacePlan& plan_;
  Findings findings_;
  double cell_ = 28;
};

}  // namespace

std::string race_strip(const SweepData& sweep) {
  if (!sweep.race || sweep.race->planned.plan.looks.empty()) return {};
  const auto trained = std::count_if(sweep.arms.begin(), sweep.arms.end(),
                                     [](const ArmData& arm) { return arm.run.status == "done" || arm.run.is_bad(); });
  const std::string note = format_text(
      "{} of at most {} arms trained. Filled cells are trained arms; dashed cells are arms {}. Marks show verdicts.",
      trained, most_arms(sweep.race->planned.plan),
      sweep.race->state.is_over ? "that were not needed" : "not yet trained");
  return element("figure", "class=\"race\" data-tips",
                 element("figcaption", "", "Which arms were trained, and when the verdict on each slope was reached") +
                     "\n" + Strip(sweep, *sweep.race).svg() + element("p", "class=\"note\"", note));
}

}  // namespace slopegan
