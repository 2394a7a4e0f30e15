#include <algorithm>
#include <cmath>

#include "report/html.h"
#include "report/sections.h"
#include "statistics/race_text.h"
#include "statistics/statistics_text.h"
#include "support/text.h"

namespace slopegan {

std::string ratio_text(double ratio) {
  return std::isfinite(ratio) ? format_text("{:.3g}", ratio) : number_text(ratio);
}

std::string limits_text(const std::optional<Interval>& limits) {
  // A lower limit of ∞ or an upper limit of 0 results from failed arms alone.
  if (!limits || std::isinf(limits->low) || limits->high <= 0) return "–";
  if (limits->low <= 0 && std::isinf(limits->high)) return "no limits";
  return ratio_text(limits->low) + " … " + ratio_text(limits->high);
}

namespace {

std::string optional_text(const std::optional<double>& value) { return value ? number_text(*value) : "–"; }

std::string verdict_text(Verdict verdict) {
  if (verdict == Verdict::not_comparable) return "no pairs";
  return verdict_words(verdict) + (verdict == Verdict::too_few_seeds ? " to tell" : "");
}

/// The cells that describe the arms, without the test.
std::vector<std::string> descriptive_cells(const Comparison& comparison) {
  const bool has_median = comparison.has_ratio() && comparison.median_ratio && *comparison.median_ratio > 0;
  return {slope_name(comparison.negative_slope), format_text("{} of {}", comparison.wins, comparison.pairs),
          has_median ? ratio_text(*comparison.median_ratio) : "–",
          comparison.has_ratio() ? limits_text(comparison.median_ratio_interval) : "–"};
}

/// The comparisons with their verdicts and tests. For a race, the table only describes the arms: the verdicts of the
/// race are shown above the table, and the test in statistics.json is not valid if the number of seeds depends on the
/// results.
std::string comparison_table(const SweepStatistics& statistics, bool is_race) {
  Table table;
  table.header = {"slope", "seeds won", "median FD ratio", "bootstrap interval"};
  table.numeric = {false, true, true, true};
  if (!is_race) {
    table.header.insert(table.header.begin() + 1, "verdict");
    table.header.insert(table.header.end(), {"test interval", "p", "p (Holm)"});
    table.numeric = {false, false, true, true, true, true, true, true};
  }
  for (const auto& comparison : statistics.comparisons) {
    table.rows.push_back(descriptive_cells(comparison));
    table.row_classes.emplace_back();
    if (is_race) continue;
    const std::string verdict = verdict_text(comparison.verdict);
    if (is_decided(comparison.verdict)) table.row_classes.back() = verdict;
    auto& cells = table.rows.back();
    cells.insert(cells.begin() + 1, verdict);  // report.css colours the second column
    cells.insert(cells.end(), {comparison.has_ratio() ? limits_text(comparison.simultaneous_interval) : "–",
                               optional_text(comparison.p), optional_text(comparison.p_holm)});
  }
  if (table.rows.empty()) return {};
  return table_html(table,
                    "Each slope compared with the control " + number_text(statistics.control) +
                        ", within seeds. A ratio below 1 means a lower FD than the control." +
                        (is_race ? " The verdicts of the race are above; this table only describes the arms." : ""));
}

std::string figures_list(const SweepStatistics& statistics) {
  std::string items;
  const auto add = [&](const char* name, const std::optional<double>& value, const char* meaning) {
    if (!value) return;
    items += element("dt", "", std::string(name) + " " + number_text(*value)) + element("dd", "", meaning);
  };
  add("Rank stability", statistics.rank_stability,
      "Kendall’s τ: agreement between seeds on the order of the slopes; 1 is full agreement");
  add("Pairing correlation", statistics.pairing_correlation, "gain from comparing within seeds; 0 is no gain");
  add("Variance between seeds", statistics.seed_variance,
      "variance of log FD between training runs with different seeds");
  add("Variance of the metric", statistics.metric_variance,
      "variance of log FD between sets of images from the same network");
  return items.empty() ? "" : element("dl", "class=\"figures\"", items);
}

std::string details(const StatisticsFile& file, bool is_race) {
  std::string methods;
  for (const auto& [name, text] : file.methods) {
    methods += element("dt", "", escape(name)) + element("dd", "", escape(text));
  }
  std::string notes;
  for (const auto& note : file.notes) notes += element("li", "", escape(note));
  std::string content = comparison_table(file.statistics, is_race) + figures_list(file.statistics);
  if (!notes.empty()) content += element("ul", "class=\"notes\"", notes);
  if (!methods.empty()) {
    content += element("details", "", "<summary>How these values were computed</summary>" + element("dl", "", methods));
  }
  return content;
}

/// statistics.json. For a race, the texts and verdicts are computed from race.json.
StatisticsFile described_statistics(const SweepData& sweep) {
  StatisticsFile file = sweep.statistics.value_or(StatisticsFile{});
  if (sweep.race) describe_race(file, *sweep.race);
  return file;
}

/// The findings that are drawn. There are none for a race without a readable race.json.
Findings drawn_findings(const SweepData& sweep, const SweepStatistics& statistics) {
  if (sweep.race) return findings_of(*sweep.race, statistics.slopes);
  return sweep.is_race() ? Findings{} : findings_of(statistics);
}

/// Describes whether the effect of the slope depends on the condition. `cross_findings` begins with the sentences about
/// significant effects. If there are many of these sentences, they are shown last, in a closed <details> element.
std::string cross_text(const StatisticsFile& file) {
  constexpr std::size_t most_shown = 4;
  const auto list = [&](std::size_t begin, std::size_t end) {
    std::string items;
    for (std::size_t i = begin; i < end; ++i) items += element("li", "", escape(file.cross_findings[i]));
    return element("ul", "class=\"findings\"", items);
  };
  const std::size_t count = file.cross_findings.size();
  const auto significant = std::ranges::count_if(file.cross->interactions, &Interaction::significant);
  const auto effects = std::min(count, static_cast<std::size_t>(significant));  // a damaged file may lack sentences
  std::string sentences = list(0, count);
  if (effects >= most_shown && count > most_shown) {
    sentences = (effects < count ? list(effects, count) : "") +
                element("details", "",
                        element("summary", "", format_text("{} effects that depend on the condition", effects)) +
                            list(0, effects));
  }
  return element("h3", "", "Does the effect of the slope depend on the condition?") +
         element("div", "class=\"verdicts\"", heat_map(*file.cross) + element("div", "", sentences));
}

}  // namespace

std::string answer_section(const SweepData& sweep) {
  if (!sweep.statistics && !sweep.race) {
    return section("answer", "Which slope is best?",
                   element("p", "class=\"lead\"",
                           "Not known yet: statistics.json, which is written when the sweep ends, does not exist or "
                           "cannot be read."));
  }
  const StatisticsFile file = described_statistics(sweep);
  std::string sentences;
  for (const auto& sentence : file.findings) sentences += element("li", "", escape(sentence));
  const std::string text =
      element("ul", "class=\"findings\"", sentences) + element("p", "class=\"note\"", escape(file.method));
  const std::string plots = forest_plot(drawn_findings(sweep, file.statistics)) + race_strip(sweep);
  std::string content = element("p", "class=\"lead\"", escape(file.recommendation)) +
                        element("div", plots.empty() ? "" : "class=\"verdicts\"",
                                (plots.empty() ? "" : element("div", "", plots)) + element("div", "", text));
  if (file.cross) content += cross_text(file);
  if (sweep.statistics) {
    content +=
        element("details", "", "<summary>All values, notes and methods</summary>" + details(file, sweep.is_race()));
  }
  return section("answer", "Which slope is best?", content);
}

}  // namespace slopegan
