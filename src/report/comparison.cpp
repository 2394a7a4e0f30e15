#include "report/comparison.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <set>
#include <utility>

#include "config/sweep_target.h"
#include "statistics/race_text.h"
#include "statistics/recommendation.h"
#include "support/enum_values.h"
#include "support/ranges.h"
#include "support/text.h"

namespace slopegan {

namespace {

// ---- Results ----

/// "fashion-mnist, 32 px".
std::string data_text(const DataConfig& data) {
  const auto path = std::filesystem::path(data.path).lexically_normal();
  const auto name = path.has_filename() ? path.filename() : path.parent_path().filename();
  return format_text("{}, {} px", name.string(), data.resolution);
}

/// The result without the findings and without the condition of a crossed sweep.
ComparedResult result_of(const SweepData& sweep) {
  ComparedResult result;
  result.sweep = sweep.config.run.name;
  result.data = data_text(sweep.config.data);
  result.images = sweep.config.training.total_images;
  result.control = sweep.config.sweep.control;
  if (sweep.config.sweep.apply_to != SweepTarget::both) {
    result.condition = "slope of " + describe(sweep.config.sweep.apply_to) + " only";
  }
  if (sweep.statistics && sweep.statistics->metric) {
    result.ruler = sweep.statistics->metric->name;
    result.caveat = sweep.statistics->metric->caveat;
  }
  result.answer = "No result yet: statistics.json does not exist or cannot be read.";
  return result;
}

void add_condition(ComparedResult& result, const std::vector<Setting>& settings) {
  result.condition += (result.condition.empty() ? "" : ", ") + condition_text(settings);
}

void add_findings(ComparedResult& result, Findings findings) {
  result.findings = std::move(findings);
  for (const auto& slope : result.findings.slopes) {
    if (slope.verdict == Verdict::control) result.control = slope.negative_slope;
  }
  result.answer = recommendation(result.findings);
}

std::vector<ComparedResult> results_of(const SweepData& sweep) {
  std::vector<ComparedResult> results = {result_of(sweep)};
  const auto& cross = sweep.config.sweep.cross.list;
  if (sweep.race) {
    results[0].looks = sweep.race->planned.plan.looks;
    const std::vector<SlopeSummary> none;
    add_findings(results[0], findings_of(*sweep.race, sweep.statistics ? sweep.statistics->statistics.slopes : none));
  } else if (sweep.statistics && sweep.statistics->cross) {
    results.clear();
    for (const auto& condition : sweep.statistics->cross->conditions) {
      results.push_back(result_of(sweep));
      add_condition(results.back(), condition.settings);
      add_findings(results.back(), findings_of(condition.statistics));
    }
  } else {
    if (cross.size() == 1) add_condition(results[0], cross[0]);
    if (sweep.is_race()) {
      if (sweep.statistics) results[0].answer = sweep.statistics->recommendation;
    } else if (sweep.statistics) {
      add_findings(results[0], findings_of(sweep.statistics->statistics));
    }
  }
  return results;
}

// ---- Sentences ----

/// The noun for the results on a slope: "sweeps", "conditions" (of crossed sweeps) or "sweeps and conditions".
std::string noun_of(const std::vector<ComparedResult>& results, double slope) {
  std::size_t sweeps = 0, conditions = 0;
  for (const auto& result : results) {
    if (finding_of(result, slope) == nullptr) continue;
    ++(std::ranges::count(results, result.sweep, &ComparedResult::sweep) > 1 ? conditions : sweeps);
  }
  if (sweeps > 0 && conditions > 0) return "sweeps and conditions";
  return conditions > 0 ? std::string("condition") + plural_s(conditions) : std::string("sweep") + plural_s(sweeps);
}

/// "0.2", or "the control" if the results have different controls.
std::string control_name(const std::vector<ComparedResult>& results) {
  const auto differs = [&](const ComparedResult& result) { return result.control != results.front().control; };
  return std::any_of(results.begin(), results.end(), differs) ? "the control" : shortest(results.front().control);
}

/// "better than 0.2", "equivalent to 0.2", "undecided".
std::string reference_words(Verdict verdict, const std::string& control) {
  if (verdict == Verdict::equivalent) return "equivalent to " + control;
  return verdict_words(verdict) + (is_decided(verdict) ? " than " + control : "");
}

bool is_tested(const SlopeFinding& slope) {
  return is_decided(slope.verdict) || slope.verdict == Verdict::no_difference_detected;
}

bool are_opposite(const SlopeFinding& lower, const SlopeFinding& higher) {
  return lower.verdict == Verdict::better && higher.verdict == Verdict::worse;
}

/// Two results that contradict each other on a slope, the one with the lower ratio first; std::nullopt if there are
/// none. Ratios to different controls are not comparable. The sizes of ratios are comparable only if the feature
/// extractor and the number of images are the same; otherwise, only opposite verdicts are a contradiction. If several
/// pairs of results contradict each other, pairs with comparable sizes take precedence, and then the pair with the
/// largest gap between its limits.
std::optional<std::pair<const ComparedResult*, const ComparedResult*>> contradiction_of(
    const std::vector<ComparedResult>& results, double slope) {
  std::pair<const ComparedResult*, const ComparedResult*> found;
  std::pair<bool, double> best;
  for (const auto& lower : results) {
    for (const auto& higher : results) {
      const auto *low = finding_of(lower, slope), *high = finding_of(higher, slope);
      if (low == nullptr || high == nullptr || !is_tested(*low) || !is_tested(*high)) continue;
      if (lower.control != higher.control) continue;
      // Limits that are cut off at 1 do not show that the verdicts are opposite: the gap between them is 0.
      const std::pair candidate(lower.ruler == higher.ruler, high->limits.low - low->limits.high);
      if (!are_opposite(*low, *high) && !(candidate.first && candidate.second > 0)) continue;
      if (found.first != nullptr && candidate <= best) continue;
      found = {&lower, &higher};
      best = candidate;
    }
  }
  if (found.first == nullptr) return std::nullopt;
  return found;
}

/// What distinguishes two results that contradict each other.
const char* source_of(const ComparedResult& lowest, const ComparedResult& highest) {
  return lowest.sweep == highest.sweep ? "condition" : "sweep";
}

/// "it is better than 0.2 in a, but worse in b (8 of 8 arms failed)".
std::string opposite_words(const ComparedResult& better, const ComparedResult& worse, double slope) {
  const auto place = [&](const ComparedResult& result) {
    const SlopeFinding& finding = *finding_of(result, slope);
    const std::string failures = finding.has_fds ? "" : failure_words(finding);
    return " in " + full_name(result) + (failures.empty() ? "" : " (" + failures + ")");
  };
  return "it is better than " + shortest(better.control) + place(better) + ", but worse" + place(worse);
}

/// "relative to the control, FD is 2 to 19 % lower in a, but at least 19 % higher in b". For a result without FDs, the
/// text states the failures. If the sizes of the ratios are not comparable, or if a limit is cut off at 1, it states
/// only the verdicts.
std::string contrast_words(const ComparedResult& lowest, const ComparedResult& highest, double slope) {
  const SlopeFinding &low = *finding_of(lowest, slope), &high = *finding_of(highest, slope);
  const bool is_cut_off = (low.has_fds && low.limits.high == 1) || (high.has_fds && high.limits.low == 1);
  if (are_opposite(low, high) && (lowest.ruler != highest.ruler || is_cut_off)) {
    return opposite_words(lowest, highest, slope);
  }
  std::vector<std::string> parts;
  bool has_named_fd = false;
  for (const auto* result : {&lowest, &highest}) {
    const SlopeFinding& finding = *finding_of(*result, slope);
    std::string words = has_limits(finding) ? limits_words(finding.limits) : failure_words(finding);
    if (has_limits(finding) && !std::exchange(has_named_fd, true)) words = "relative to the control, FD is " + words;
    parts.push_back(words + " in " + full_name(*result));
  }
  return join(parts, ", but ");
}

/// The names of the results in groups with equal values: "0.1 (a, b), 0.2 (c)"; empty if there is only one group.
template <class Value>
std::string groups_text(const std::vector<ComparedResult>& results, Value value_of) {
  std::vector<std::pair<std::string, std::vector<std::string>>> groups;
  for (const auto& result : results) {
    const std::string value = value_of(result);
    if (value.empty()) continue;
    auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& known) { return known.first == value; });
    if (group == groups.end()) group = groups.insert(groups.end(), {value, {}});
    if (group->second.empty() || group->second.back() != result.sweep) group->second.push_back(result.sweep);
  }
  if (groups.size() < 2) return {};
  std::vector<std::string> texts;
  for (const auto& [value, names] : groups) texts.push_back(value + " (" + join(names, ", ") + ")");
  return join(texts, ", ");
}

}  // namespace

std::vector<ComparedResult> compared_results(const std::vector<SweepData>& sweeps) {
  std::vector<ComparedResult> results;
  for (const auto& sweep : sweeps) {
    const auto has_its_name = [&](const SweepData& other) { return other.config.run.name == sweep.config.run.name; };
    const bool is_unique = std::count_if(sweeps.begin(), sweeps.end(), has_its_name) == 1;
    for (auto& result : results_of(sweep)) {
      if (!is_unique) result.sweep = sweep.directory.string();
      results.push_back(std::move(result));
    }
  }
  return results;
}

std::string full_name(const ComparedResult& result) {
  return result.sweep + (result.condition.empty() ? "" : ", " + result.condition);
}

Verdict compared_verdict(const Findings& findings, const SlopeFinding& slope) {
  if (is_equivalent(findings, slope)) return Verdict::equivalent;
  const bool is_open = slope.verdict == Verdict::no_difference_detected || slope.verdict == Verdict::too_few_seeds;
  return is_open ? Verdict::undecided : slope.verdict;
}

std::vector<double> compared_slopes(const std::vector<ComparedResult>& results) {
  std::vector<double> slopes;
  for (const auto& result : results) {
    for (const auto& slope : result.findings.slopes) {
      if (slope.verdict != Verdict::control) slopes.push_back(slope.negative_slope);
    }
  }
  return sorted_unique(std::move(slopes));
}

const SlopeFinding* finding_of(const ComparedResult& result, double negative_slope) {
  for (const auto& slope : result.findings.slopes) {
    if (slope.negative_slope == negative_slope && slope.verdict != Verdict::control) return &slope;
  }
  return nullptr;
}

std::string repeats_text(const ComparedResult& result, const SlopeFinding& slope) {
  if (result.looks.empty()) return format_text("{} seed{}", slope.seeds, plural_s(slope.seeds));
  const auto look = std::find(result.looks.begin(), result.looks.end(), slope.seeds);
  const std::string arms = format_text("{} arm{}", slope.arms, plural_s(slope.arms));
  if (look == result.looks.end()) return arms + ", no look";
  return arms + format_text(", look {} of {}", look - result.looks.begin() + 1, result.looks.size());
}

std::vector<std::string> agreement_sentences(const std::vector<ComparedResult>& results) {
  std::vector<std::string> sentences;
  for (const double slope : compared_slopes(results)) {
    std::vector<Verdict> verdicts;
    for (const auto& result : results) {
      if (const auto* found = finding_of(result, slope)) {
        verdicts.push_back(compared_verdict(result.findings, *found));
      }
    }
    std::string sentence;
    for (const Verdict verdict : enum_values<Verdict>) {
      const auto count = std::ranges::count(verdicts, verdict);
      if (count == 0) continue;
      if (sentence.empty()) {
        sentence = format_text("Slope {} is {} in {} of {} {}", shortest(slope),
                               reference_words(verdict, control_name(results)), count, verdicts.size(),
                               noun_of(results, slope));
      } else {
        sentence += format_text(", {} in {}", verdict_words(verdict), count);
      }
    }
    sentences.push_back(sentence + ".");
  }
  return sentences;
}

std::vector<std::string> contradiction_sentences(const std::vector<ComparedResult>& results) {
  std::vector<std::string> sentences;
  for (const double slope : compared_slopes(results)) {
    const auto pair = contradiction_of(results, slope);
    if (!pair) continue;
    const auto& [lowest, highest] = *pair;
    sentences.push_back(format_text("The effect of slope {} depends on the {}: {}.", shortest(slope),
                                    source_of(*lowest, *highest), contrast_words(*lowest, *highest, slope)));
  }
  return sentences;
}

std::vector<std::string> contradicted_slopes(const std::vector<ComparedResult>& results) {
  std::vector<std::string> names;
  for (const double slope : compared_slopes(results)) {
    if (contradiction_of(results, slope)) names.push_back(shortest(slope));
  }
  return names;
}

std::string contradiction_sources(const std::vector<ComparedResult>& results) {
  std::set<std::string> sources;
  for (const double slope : compared_slopes(results)) {
    if (const auto pair = contradiction_of(results, slope)) sources.insert(source_of(*pair->first, *pair->second));
  }
  return sources.empty() ? "" : sources.size() == 2 ? "sweep or the condition" : *sources.begin();
}

std::vector<std::string> comparability_notes(const std::vector<ComparedResult>& results) {
  std::vector<std::string> notes;
  const std::string controls = groups_text(results, [](const auto& result) { return shortest(result.control); });
  if (!controls.empty()) {
    notes.push_back("The sweeps have different controls, and each ratio is relative to the control of its own sweep: " +
                    controls + ". Sweeps with different controls are not checked for contradictions.");
  }
  const std::string rulers = groups_text(results, [](const auto& result) { return result.ruler; });
  if (!rulers.empty()) {
    notes.push_back(
        "The sweeps use different feature extractors or numbers of generated images. Verdicts can be compared; FDs and "
        "the sizes of ratios cannot: " +
        rulers + ".");
  }
  for (const auto& result : results) {
    const auto& findings = result.findings;
    if (findings.slopes.empty()) {
      notes.push_back(full_name(result) + " has no result yet.");
    } else if (!findings.is_over) {
      notes.push_back(full_name(result) + " is a race that is still in progress.");
    } else if (findings.missing_arms > 0) {
      notes.push_back(
          format_text("{} lacks {} arm{}.", full_name(result), findings.missing_arms, plural_s(findings.missing_arms)));
    }
    if (result.caveat) notes.push_back(full_name(result) + ": " + *result.caveat);
  }
  notes.push_back(
      "The error rate (sweep.alpha) is controlled separately for every sweep, and for every condition of a crossed "
      "sweep. The more verdicts there are, the more of them may be wrong.");
  return notes;
}

std::string comparison_csv(const std::vector<ComparedResult>& results) {
  const auto number = [](double value) { return std::isfinite(value) ? shortest(value) : std::string(); };
  std::string csv = "sweep,condition,data,images,ruler,repeats,control,slope,ratio,low,high,verdict\n";
  for (const auto& result : results) {
    for (const auto& slope : result.findings.slopes) {
      if (slope.verdict == Verdict::control) continue;
      std::vector<std::string> cells = {result.sweep,
                                        result.condition,
                                        result.data,
                                        std::to_string(result.images),
                                        result.ruler,
                                        repeats_text(result, slope),
                                        shortest(result.control),
                                        shortest(slope.negative_slope),
                                        slope.has_fds && slope.ratio.value_or(0) > 0 ? number(*slope.ratio) : "",
                                        has_limits(slope) && slope.limits.low > 0 ? number(slope.limits.low) : "",
                                        has_limits(slope) ? number(slope.limits.high) : "",
                                        verdict_words(compared_verdict(result.findings, slope))};
      std::transform(cells.begin(), cells.end(), cells.begin(), csv_cell);
      csv += join(cells, ",") + "\n";
    }
  }
  return csv;
}

}  // namespace slopegan
