#include "statistics/statistics_json.h"

#include <limits>
#include <type_traits>
#include <utility>

#include "run/json.h"
#include "statistics/recommendation.h"
#include "statistics/statistics_text.h"
#include "support/enum_values.h"
#include "support/text.h"

namespace slopegan {

using nlohmann::json;
using nlohmann::ordered_json;

namespace {

// --- The fields in the order of the file, for writing and reading ---------------------------------------------------

template <class Record, class Data>
concept RecordOf = std::is_same_v<std::remove_const_t<Record>, Data>;

template <RecordOf<FdMetric> Record, class Visit>
void visit_fields(Record& metric, const Visit& visit) {
  visit("name", metric.name);
  visit("extractor", metric.extractor);
  visit("samples", metric.samples);
  visit("images", metric.images);
  visit("floor", metric.floor);
  visit("bias", metric.bias);
  visit("caveat", metric.caveat);
}

template <RecordOf<SlopeSummary> Record, class Visit>
void visit_fields(Record& summary, const Visit& visit) {
  visit("negative_slope", summary.negative_slope);
  visit("arms", summary.arms);
  visit("scored", summary.scored);
  visit("diverged", summary.diverged);
  visit("collapsed", summary.collapsed);
  visit("missing", summary.missing);
  visit("mean_fd", summary.mean_fd);
  visit("fd_deviation", summary.fd_deviation);
  visit("seed_variance", summary.seed_variance);
  visit("metric_variance", summary.metric_variance);
  visit("probability_best", summary.probability_best);
}

template <RecordOf<Comparison> Record, class Visit>
void visit_fields(Record& comparison, const Visit& visit) {
  visit("negative_slope", comparison.negative_slope);
  visit("pairs", comparison.pairs);
  visit("lost", comparison.lost);
  visit("control_lost", comparison.control_lost);
  visit("both_lost", comparison.both_lost);
  visit("both_scored", comparison.both_scored);
  visit("wins", comparison.wins);
  visit("median_ratio", comparison.median_ratio);
  visit("median_ratio_interval", comparison.median_ratio_interval);
  visit("mean_log_ratio", comparison.mean_log_ratio);
  visit("simultaneous_interval", comparison.simultaneous_interval);
  visit("p", comparison.p);
  visit("p_holm", comparison.p_holm);
  visit("smallest_p_holm", comparison.smallest_p_holm);
  visit("can_be_significant", comparison.can_be_significant);
  visit("significant", comparison.significant);
  visit("verdict", comparison.verdict);
  visit("pairing_correlation", comparison.pairing_correlation);
}

template <RecordOf<MissingArm> Record, class Visit>
void visit_fields(Record& arm, const Visit& visit) {
  visit("negative_slope", arm.negative_slope);
  visit("seed", arm.seed);
}

template <RecordOf<RulerSlope> Record, class Visit>
void visit_fields(Record& slope, const Visit& visit) {
  visit("negative_slope", slope.negative_slope);
  visit("arms", slope.arms);
  visit("mean_fd", slope.mean_fd);
  visit("other_mean_fd", slope.other_mean_fd);
}

template <RecordOf<RulerComparison> Record, class Visit>
void visit_fields(Record& ruler, const Visit& visit) {
  visit("metric", ruler.metric);
  visit("kendall_tau", ruler.kendall_tau);
  visit("slopes", ruler.slopes);
}

template <RecordOf<Setting> Record, class Visit>
void visit_fields(Record& setting, const Visit& visit) {
  visit("key", setting.key);
  visit("value", setting.value);
}

template <RecordOf<SweepStatistics> Record, class Visit>
void visit_fields(Record& statistics, const Visit& visit) {
  visit("alpha", statistics.alpha);
  visit("wanted_control", statistics.wanted_control);
  visit("control", statistics.control);
  visit("seeds", statistics.seeds);
  visit("complete_seeds", statistics.complete_seeds);
  visit("slopes", statistics.slopes);
  visit("comparisons", statistics.comparisons);
  visit("missing", statistics.missing);
  visit("pairing_correlation", statistics.pairing_correlation);
  visit("rank_stability", statistics.rank_stability);
  visit("seed_variance", statistics.seed_variance);
  visit("metric_variance", statistics.metric_variance);
}

template <RecordOf<ConditionStatistics> Record, class Visit>
void visit_fields(Record& condition, const Visit& visit) {
  visit("settings", condition.settings);
  visit_fields(condition.statistics, visit);
}

template <RecordOf<Interaction> Record, class Visit>
void visit_fields(Record& interaction, const Visit& visit) {
  visit("negative_slope", interaction.negative_slope);
  visit("first", interaction.first);
  visit("second", interaction.second);
  visit("pairs", interaction.pairs);
  visit("failed_seeds", interaction.failed_seeds);
  visit("ratio", interaction.ratio);
  visit("ratio_interval", interaction.ratio_interval);
  visit("p", interaction.p);
  visit("p_holm", interaction.p_holm);
  visit("smallest_p_holm", interaction.smallest_p_holm);
  visit("can_be_significant", interaction.can_be_significant);
  visit("significant", interaction.significant);
}

template <RecordOf<CrossStatistics> Record, class Visit>
void visit_fields(Record& cross, const Visit& visit) {
  visit("alpha", cross.alpha);
  visit("conditions", cross.conditions);
  visit("interactions", cross.interactions);
}

template <RecordOf<StatisticsFile> Record, class Visit>
void visit_fields(Record& file, const Visit& visit) {
  visit("recommendation", file.recommendation);
  visit("findings", file.findings);
  visit("method", file.method);
  visit("answer", file.answer);
  visit("notes", file.notes);
  visit("metric", file.metric);
  visit_fields(file.statistics, visit);
  visit("rulers", file.rulers);
  visit("cross_findings", file.cross_findings);
  visit("cross", file.cross);
  visit("methods", file.methods);
}

// --- Writing --------------------------------------------------------------------------------------------------------

struct Write {
  ordered_json& object;

  template <class Value>
  void operator()(const char* name, const Value& value) const {
    object[name] = to_json(value);
  }

 private:
  template <class Record>
  static ordered_json to_json(const Record& record)
    requires requires(const Write& write) { visit_fields(record, write); }
  {
    ordered_json object = ordered_json::object();
    visit_fields(record, Write{object});
    return object;
  }
  static ordered_json to_json(bool value) { return value; }
  static ordered_json to_json(double value) { return value; }
  static ordered_json to_json(std::int64_t value) { return value; }
  static ordered_json to_json(const std::string& value) { return value; }
  static ordered_json to_json(const Interval& interval) { return ordered_json::array({interval.low, interval.high}); }
  static ordered_json to_json(Verdict verdict) { return name_of(verdict); }
  static ordered_json to_json(const std::vector<std::pair<std::string, std::string>>& texts) {
    ordered_json object = ordered_json::object();
    for (const auto& [name, text] : texts) object[name] = text;
    return object;
  }
  template <class Value>
  static ordered_json to_json(const std::optional<Value>& value) {
    return value ? to_json(*value) : ordered_json();
  }
  template <class Value>
  static ordered_json to_json(const std::vector<Value>& values) {
    ordered_json array = ordered_json::array();
    for (const auto& value : values) array.push_back(to_json(value));
    return array;
  }
};

// --- Reading --------------------------------------------------------------------------------------------------------

struct Read {
  const json& object;

  template <class Value>
  void operator()(const char* name, Value& value) const {
    if (object.contains(name)) from_json(object.at(name), value);
  }

 private:
  template <class Record>
  static void from_json(const json& value, Record& record)
    requires requires(const Read& read) { visit_fields(record, read); }
  {
    if (!value.is_object()) throw WrongJsonType("an object is expected");
    visit_fields(record, Read{value});
    if constexpr (std::is_same_v<Record, Comparison>) {
      if (!value.contains("verdict")) record.verdict = verdict_of(record);
      if (record.significant && record.simultaneous_interval) {
        record.simultaneous_interval = limits_of_verdict(*record.simultaneous_interval, record.favours_slope());
      }
    }
    if constexpr (std::is_same_v<Record, SlopeSummary>) {
      if (!value.contains("arms")) record.arms = record.scored + record.diverged + record.collapsed + record.missing;
    }
  }
  static void from_json(const json& value, bool& result) { result = value.get<bool>(); }
  static void from_json(const json& value, double& result) { result = number_or_nan(value); }
  static void from_json(const json& value, std::int64_t& result) { result = whole_number(value); }
  static void from_json(const json& value, std::string& result) { result = value.get<std::string>(); }
  static void from_json(const json& value, Interval& result) {
    constexpr double unbounded = std::numeric_limits<double>::infinity();
    const auto limit = [](const json& number) { return number.is_null() ? unbounded : number_or_nan(number); };
    result = {limit(value.at(0)), limit(value.at(1))};
  }
  static void from_json(const json& value, Verdict& result) {
    const auto verdict = enum_named<Verdict>(value.get<std::string>());
    if (!verdict) throw WrongJsonType("a verdict is expected");
    result = *verdict;
  }
  static void from_json(const json& value, std::vector<std::pair<std::string, std::string>>& result) {
    for (const auto& [name, text] : value.items()) result.emplace_back(name, text.get<std::string>());
  }
  template <class Value>
  static void from_json(const json& value, std::optional<Value>& result) {
    if (!value.is_null()) from_json(value, result.emplace());
  }
  template <class Value>
  static void from_json(const json& value, std::vector<Value>& result) {
    if (!value.is_array()) throw WrongJsonType("an array is expected");
    for (const auto& element : value) from_json(element, result.emplace_back());
  }
};

/// Throws WrongJsonType if an error rate is not in (0, 1].
void check_error_rates(const StatisticsFile& file) {
  const auto check = [](double alpha) {
    if (!(alpha > 0 && alpha <= 1)) throw WrongJsonType("an alpha between 0 and 1 is expected");
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

std::string statistics_json(const StatisticsFile& file) {
  ordered_json object = ordered_json::object();
  visit_fields(file, Write{object});
  return json_text(object, 2) + "\n";
}

std::optional<StatisticsFile> parse_statistics(std::string_view text) {
  const auto object = parse_json_object(text);
  if (!object || !object->contains("answer")) return std::nullopt;
  try {
    StatisticsFile file;
    visit_fields(file, Read{*object});
    check_error_rates(file);
    if (!object->contains("recommendation")) put_into_words(file);
    return file;
  } catch (const json::exception&) {
  } catch (const WrongJsonType&) {
  }
  return std::nullopt;
}

}  // namespace slopegan
