#include <algorithm>
#include <filesystem>

#include "config/fields.h"
#include "config/print.h"
#include "report/html.h"
#include "report/sections.h"
#include "statistics/statistics_text.h"
#include "support/checksums.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/text.h"

/// The page that compares several sweeps.
namespace slopegan {

namespace {

std::string sentence_list(const std::vector<std::string>& sentences, const char* kind) {
  std::string items;
  for (const auto& sentence : sentences) items += element("li", "", escape(sentence));
  return items.empty() ? "" : element("ul", format_text("class=\"{}\"", kind), items);
}

std::string verdict_badge(Verdict verdict) {
  const char* kind = verdict == Verdict::better ? "badge good" : verdict == Verdict::worse ? "badge bad" : "badge";
  return element("span", format_text("class=\"{}\"", kind), verdict_words(verdict));
}

std::vector<std::string> comparison_cells(const ComparedResult& result, const SlopeFinding& slope) {
  return {escape(full_name(result)),
          slope_name(slope.negative_slope),
          verdict_badge(compared_verdict(result.findings, slope)),
          !slope.has_fds && !failure_words(slope).empty() ? failure_words(slope)
          : slope.ratio                                   ? ratio_text(*slope.ratio)
                                                          : "–",
          has_limits(slope) ? limits_text(slope.limits) : "–",
          shortest(result.control),
          grouped(result.images),
          repeats_text(result, slope),
          escape(result.data),
          escape(result.ruler)};
}

std::string csv_link(const std::vector<ComparedResult>& results) {
  const std::string csv = comparison_csv(results);
  return element(
      "p", "",
      element("a", "download=\"comparison.csv\" href=\"data:text/csv;charset=utf-8;base64," + base64(csv) + "\"",
              "Download this table as CSV"));
}

/// Names the slopes for which the answer depends on the sweep or on the condition; if there are none, states what was
/// checked. Pairs of results with different controls are not checked, and the intervals of different feature
/// extractors are not compared.
std::string comparison_lead(const std::vector<ComparedResult>& results) {
  const auto contradicted = contradicted_slopes(results);
  if (!contradicted.empty()) {
    return (contradicted.size() == 1 ? "For slope " : "For slopes ") + enumerate_words(contradicted, "and") +
           ", the answer depends on the " + contradiction_sources(results) + ".";
  }
  const auto compared = compared_slopes(results);
  if (compared.empty()) return "No answer yet: no sweep has a result.";
  bool any_checked = false, any_unchecked = false, same_rulers = true;
  for (const double slope : compared) {
    std::vector<const ComparedResult*> earlier;
    for (const auto& result : results) {
      const auto* finding = finding_of(result, slope);
      if (finding == nullptr || !was_compared(*finding)) continue;
      for (const auto* other : earlier) {
        const bool is_checked = other->control == result.control;
        any_checked |= is_checked;
        any_unchecked |= !is_checked;
        same_rulers &= !is_checked || other->ruler == result.ruler;
      }
      earlier.push_back(&result);
    }
  }
  if (!any_checked) {
    return any_unchecked ? "The sweeps cannot be checked for contradictions, because their controls differ."
                         : "Nothing to compare yet: no slope has results in more than one sweep.";
  }
  return std::string("The sweeps ") + (any_unchecked ? "with the same control " : "") +
         "do not contradict each other: " +
         (same_rulers ? "for every slope, the intervals overlap." : "no slope is better in one and worse in another.");
}

/// The maximum total size, in bytes, of the contact sheets on a page. In Base64, they are a third larger, but still
/// smaller than 5 MiB.
constexpr std::size_t sheet_budget = std::size_t{7} << 19;

/// Whether the key concerns only the way in which a sweep is run, not its results.
bool is_about_the_run(const std::string& key) {
  return key.starts_with("run.") || key == "sweep.jobs" || key == "training.threads" || key.starts_with("events.");
}

}  // namespace

std::string comparison_answer_section(const std::vector<ComparedResult>& results) {
  std::string answers;
  for (const auto& result : results) {
    answers += element("li", "", element("b", "", escape(full_name(result))) + ": " + escape(result.answer));
  }
  return section("answer", "Does the answer hold?",
                 element("p", "class=\"lead\"", comparison_lead(results)) +
                     sentence_list(contradiction_sentences(results), "findings") + element("h3", "", "Each slope") +
                     sentence_list(agreement_sentences(results), "findings") + element("h3", "", "Each sweep") +
                     element("ul", "class=\"findings\"", answers) +
                     sentence_list(comparability_notes(results), "notes"));
}

std::string comparison_table_section(const std::vector<ComparedResult>& results) {
  Table table;
  table.header = {"sweep and condition", "slope",   "verdict", "FD ratio", "interval", "control",
                  "images per arm",      "repeats", "data",    "metric"};
  table.numeric = {false, false, false, true, true, true, true, false, false, false};
  for (const auto& result : results) {
    for (const auto& slope : result.findings.slopes) {
      if (slope.verdict != Verdict::control) table.rows.push_back(comparison_cells(result, slope));
    }
  }
  if (table.rows.empty()) return {};
  return section("table", "All comparisons",
                 table_html(table,
                            "A ratio below 1 means that the slope has a lower FD than the control of the same sweep; "
                            "the verdict states whether the difference is significant. "
                            "Repeats: the number of seeds that the slope and the control have in common or, for a "
                            "race, the number of arms of the slope at its last look or when the race gave up on it.") +
                     csv_link(results));
}

std::string comparison_sheets_section(const std::vector<SweepData>& sweeps, std::vector<std::string>& notes) {
  std::string sheets;
  std::size_t budget = sheet_budget;
  for (const auto& sweep : sweeps) {
    const auto file = sweep.directory / "contact_sheet.png";
    if (!std::filesystem::exists(file)) continue;
    try {
      const std::string png = read_file(file, budget);
      budget -= png.size();
      const std::string name = escape(sweep.config.run.name);
      sheets += element("details", "",
                        element("summary", "", name) + "<img class=\"whole\" alt=\"Images generated in sweep " + name +
                            ": one row per slope\" src=\"data:image/png;base64," + base64(png) + "\">");
    } catch (const Error& error) {
      notes.emplace_back(error.what());
    }
  }
  return sheets.empty() ? "" : section("sheets", "Contact sheets", sheets);
}

std::string comparison_config_section(const std::vector<SweepData>& sweeps) {
  Table table;
  table.header = {"key"};
  for (const auto& sweep : sweeps) table.header.push_back(escape(sweep.config.run.name));
  const Config any;
  visit_fields(any, [&](std::string_view key, const auto&, const auto&, std::string_view) {
    if (is_about_the_run(std::string(key))) return;
    std::vector<std::string> row = {element("code", "", key)};
    for (const auto& sweep : sweeps) row.push_back(element("code", "", escape(value_text(sweep.config, key))));
    const auto differs = [&](const std::string& value) { return value != row[1]; };
    if (std::any_of(row.begin() + 2, row.end(), differs)) table.rows.push_back(std::move(row));
  });
  if (table.rows.empty()) return {};
  return section("differences", "What differs between the sweeps", table_html(table));
}

}  // namespace slopegan
