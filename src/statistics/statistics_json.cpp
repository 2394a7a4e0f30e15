#include "statistics/statistics_json.h"

#include <limits>
#include <utility>

#include "statistics/recommendation.h"
#include "statistics/statistics_text.h"
#include "support/enum_values.h"
#include "support/text.h"

namespace slopegan {

using nlohmann::json;
using nlohmann::ordered_json;

ordered_json field_json(const Interval& interval) { return {interval.low, interval.high}; }

void read_field(const json& value, Interval& interval) {
  const auto limit = [](const json& number) {
    return number.is_null() ? std::numeric_limits<double>::infinity() : number_or_nan(number);
  };
  interval = {limit(value.at(0)), limit(value.at(1))};
}

ordered_json field_json(Verdict verdict) { return name_of(verdict); }

void read_field(const json& value, Verdict& verdict) {
  const auto named = enum_named<Verdict>(value.get<std::string>());
  if (!named || *named == Verdict::control) throw WrongJsonType("expected a verdict");
  verdict = *named;
}

// Files from earlier versions may lack fields, or may have intervals that contain 1 despite a significant verdict.

void read_field(const json& value, Comparison& comparison) {
  comparison = read_record<Comparison>(value);
  if (!value.contains("verdict")) comparison.verdict = verdict_of(comparison);
  auto& interval = comparison.simultaneous_interval;
  if (comparison.significant && interval) interval = limits_of_verdict(*interval, comparison.favours_slope());
}

void read_field(const json& value, SlopeSummary& summary) {
  summary = read_record<SlopeSummary>(value);
  if (!value.contains("arms")) summary.arms = summary.scored + summary.diverged + summary.collapsed + summary.missing;
}

namespace {

/// Throws WrongJsonType if an error rate is not in (0, 1].
void check_error_rates(const StatisticsFile& file) {
  const auto check = [](double alpha) {
    if (!(alpha > 0 && alpha <= 1)) throw WrongJsonType("expected an alpha between 0 and 1");
  };
  check(file.statistics.alpha);
  if (!file.cross) return;
  check(file.cross->alpha);
  for (const auto& condition : file.cross->conditions) check(condition.statistics.alpha);
}

void put_into_words(StatisticsFile& file) {
  const Findings findings = findings_of(file.statistics);
  file.recommendation = recommendation(findings);
  file.findings = finding_sentences(findings);
  if (file.metric && file.metric->caveat) file.findings.push_back(*file.metric->caveat);
  file.method = method_sentence(file.statistics);
  file.answer = file.recommendation + " " + join(file.findings, " ");
}

std::string first_condition_note(const CrossStatistics& cross) {
  return format_text(
      "The slopes are compared under {} conditions; the answer describes the first ({}). The error rate applies to "
      "each condition separately.",
      cross.conditions.size(), condition_text(cross.conditions[0].settings));
}

/// "With generator.norm=none, 1 of 16 arms is missing: ...": the missing and failed arms of each condition.
std::vector<std::string> condition_notes(const CrossStatistics& cross) {
  std::vector<std::string> notes;
  for (const auto& condition : cross.conditions) {
    const std::string start =
        condition.settings.empty() ? "In the base condition, " : "With " + condition_text(condition.settings) + ", ";
    for (const auto& note : arm_notes(condition.statistics)) notes.push_back(start + note);
  }
  return notes;
}

}  // namespace

std::vector<SweepStatistics> condition_statistics(const StatisticsFile& file) {
  if (!file.cross) return {file.statistics};
  std::vector<SweepStatistics> statistics;
  for (const auto& condition : file.cross->conditions) statistics.push_back(condition.statistics);
  return statistics;
}

StatisticsFile evaluate_scores(const SweepScores& scores, double control, const StatisticsOptions& options) {
  StatisticsFile file;
  file.metric = scores.metric;
  if (scores.conditions.size() > 1) {
    file.cross = cross_statistics(scores.conditions, scores.arms, control, options);
    file.cross_findings = cross_sentences(*file.cross);
    file.statistics = file.cross->conditions[0].statistics;
  } else {
    file.statistics = sweep_statistics(scores.arms, control, options);
  }
  put_into_words(file);
  file.notes = statistics_notes(file.statistics, scores);
  if (file.cross) {
    file.notes.push_back(first_condition_note(*file.cross));
    for (auto& note : condition_notes(*file.cross)) file.notes.push_back(std::move(note));
  }
  for (const auto& ruler : scores.rulers) {
    file.rulers.push_back(compare_rulers(scores.arms, ruler));
    file.notes.push_back(rulers_text(*scores.metric, file.rulers.back()));
    if (ruler.metric.caveat) file.notes.push_back(ruler.metric.name + ": " + *ruler.metric.caveat);
  }
  file.methods = statistics_methods(file.statistics);
  return file;
}

std::string statistics_json(const StatisticsFile& file) { return json_text(record_json(file), 2) + "\n"; }

std::optional<StatisticsFile> parse_statistics(std::string_view text) {
  const auto object = parse_json_object(text);
  if (!object || !object->contains("answer")) return std::nullopt;
  try {
    StatisticsFile file = read_record<StatisticsFile>(*object);
    check_error_rates(file);
    if (!object->contains("recommendation")) put_into_words(file);
    return file;
  } catch (const json::exception&) {
  } catch (const WrongJsonType&) {
  }
  return std::nullopt;
}

}  // namespace slopegan
