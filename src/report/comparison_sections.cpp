#include <algorithm>
#include <span>

#include "config/fields.h"
#include "config/print.h"
#include "report/html.h"
#include "report/sections.h"
#include "support/checksums.h"
#include "support/text.h"

/// The page that compares several sweeps.
namespace slopegan {

namespace {

std::string sentence_list(const std::vector<std::string>& sentences, const char* kind) {
  std::string items;
  for (const auto& sentence : sentences) items += element("li", "", escape(sentence));
  return items.empty() ? "" : element("ul", format_text("class=\"{}\"", kind), items);
}

std::string claim_badge(Claim claim) {
  const char* kind = claim == Claim::better ? "badge good" : claim == Claim::worse ? "badge bad" : "badge";
  return element("span", format_text("class=\"{}\"", kind), name_of(claim));
}

std::vector<std::string> comparison_cells(const ComparedResult& result, const SlopeFinding& slope) {
  const Claim claim = claim_of(result.findings, slope);
  const bool is_tested = claim != Claim::given_up && claim != Claim::not_comparable;
  return {escape(result.sweep),
          escape(result.condition),
          slope_name(slope.negative_slope),
          slope.ratio ? ratio_text(*slope.ratio) : "–",
          is_tested ? limits_text(slope.limits) : "–",
          claim_badge(claim),
          shortest(result.control),
          repeats_text(result, slope),
          escape(result.data),
          grouped(result.images),
          escape(result.ruler)};
}

std::string csv_link(const std::vector<ComparedResult>& results) {
  const std::string csv = comparison_csv(results);
  return element("p", "",
                 element("a",
                         "download=\"comparison.csv\" href=\"data:text/csv;charset=utf-8;base64," +
                             base64(std::as_bytes(std::span(csv))) + "\"",
                         "Download this table as CSV"));
}

/// Whether a sweep's value of the key says nothing about its results.
bool is_about_the_run(const std::string& key) {
  return key.starts_with("run.") || key == "sweep.jobs" || key == "training.threads" || key.starts_with("events.");
}

}  // namespace

std::string comparison_answer_section(const std::vector<ComparedResult>& results) {
  const auto contradictions = contradiction_sentences(results);
  const std::string lead =
      compared_slopes(results).empty() ? "Not known yet: no sweep has a result."
      : contradictions.empty()
          ? "The sweeps do not contradict each other: for no slope do two intervals exclude each other."
          : "The answer depends on the sweep.";
  std::string answers;
  for (const auto& result : results) {
    answers += element("li", "", element("b", "", escape(full_name(result))) + ": " + escape(result.answer));
  }
  return section("answer", "Does the answer hold?",
                 element("p", "class=\"lead\"", lead) + sentence_list(contradictions, "findings") +
                     element("h3", "", "Each slope") + sentence_list(agreement_sentences(results), "findings") +
                     element("h3", "", "Each sweep") + element("ul", "class=\"findings\"", answers) +
                     sentence_list(comparability_notes(results), "notes"));
}

std::string comparison_table_section(const std::vector<ComparedResult>& results) {
  Table table;
  table.header = {"sweep",   "condition", "slope", "FD ratio",       "interval", "verdict",
                  "control", "repeats",   "data",  "images per arm", "ruler"};
  table.numeric = {false, false, false, true, true, false, false, false, false, true, false};
  for (const auto& result : results) {
    for (const auto& slope : result.findings.slopes) {
      if (slope.standing != Standing::control) table.rows.push_back(comparison_cells(result, slope));
    }
  }
  if (table.rows.empty()) return {};
  return section("table", "All comparisons",
                 table_html(table,
                            "A ratio below 1 is better than the control of the same sweep. Repeats: the seeds "
                            "that both have, or the arms of each slope at the look of a race that decided.") +
                     csv_link(results));
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
