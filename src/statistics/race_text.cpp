#include "statistics/race_text.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "statistics/recommendation.h"
#include "statistics/statistics_text.h"
#include "support/text.h"

namespace slopegan {

namespace {

/// The value of SlopeFinding::verdict for a slope of a race.
Verdict verdict_in_race(const RaceSlope& slope) {
  if (slope.decision != Verdict::equivalent && slope.decision != Verdict::undecided) return slope.decision;
  return slope.comparison ? Verdict::no_difference_detected : Verdict::too_few_seeds;
}

std::int64_t arms_at(const RacePlan& plan, std::int64_t look) {
  const bool is_known = look >= 1 && look <= std::ssize(plan.looks);
  return is_known ? plan.looks[static_cast<std::size_t>(look - 1)] : 0;
}

/// Adds the comparison at a look with `arms` arms per slope. If all arms of the slope or of the control failed, the
/// ratio and its limits come only from the value that replaces a failure, so they are not reported. If arms of both
/// failed, the limits in race.json are ignored: earlier versions derived them from that value.
void add_race_comparison(SlopeFinding& finding, const RaceComparison& comparison, std::int64_t arms) {
  finding.arms = finding.seeds = finding.control_arms = arms;
  finding.failed = comparison.failed;
  finding.control_failed = comparison.control_failed;
  const bool has_failed = arms > 0 && comparison.failed == arms;
  const bool control_has_failed = arms > 0 && comparison.control_failed == arms;
  finding.has_fds = !has_failed && !control_has_failed;
  if (has_failed && control_has_failed) finding.verdict = Verdict::not_comparable;
  const bool both_have_failures = comparison.failed > 0 && comparison.control_failed > 0;
  finding.limits =
      limits_for(finding.verdict,
                 finding.has_fds && !both_have_failures ? std::optional(comparison.ratio_interval) : std::nullopt);
  if (finding.has_fds) {
    finding.ratio = comparison.ratio;
  } else if (has_failed != control_has_failed) {
    finding.ratio = has_failed ? std::numeric_limits<double>::infinity() : 0;
  }
}

SlopeFinding finding_of(const RacePlan& plan, const RaceSlope& slope) {
  SlopeFinding finding;
  finding.negative_slope = slope.negative_slope;
  finding.verdict = verdict_in_race(slope);
  if (slope.comparison) {
    add_race_comparison(finding, *slope.comparison, arms_at(plan, slope.look));
    return finding;
  }
  finding.limits = limits_for(finding.verdict, std::nullopt);
  if (slope.decision != Verdict::given_up) return finding;
  const auto& ratios = slope.interim_ratios;
  finding.arms = std::ssize(ratios);
  finding.failed = std::count_if(ratios.begin(), ratios.end(), [](double ratio) { return std::isinf(ratio); });
  if (!ratios.empty()) finding.ratio = *std::min_element(ratios.begin(), ratios.end());
  return finding;
}

SlopeFinding control_finding(const RacePlan& plan, const RaceState& state) {
  SlopeFinding finding;
  finding.negative_slope = plan.control;
  finding.verdict = Verdict::control;
  finding.ratio = 1;
  finding.limits = {1, 1};
  if (!state.looks.empty()) {
    finding.arms = state.looks.back().arms;
    const auto& comparisons = state.looks.back().comparisons;
    if (!comparisons.empty()) finding.failed = comparisons.front().control_failed;
  }
  return finding;
}

std::string looks_text(const RacePlan& plan) {
  std::vector<std::string> arms;
  for (const auto look : plan.looks) arms.push_back(std::to_string(look));
  return join(arms, ", ");
}

/// The error rate of all looks, in percent.
double alpha_percent(const RacePlan& plan) {
  return 100 * std::accumulate(plan.alphas.begin(), plan.alphas.end(), 0.0);
}

/// The slopes for which `holds` returns true, such as "slope 0" or "slopes 0 and 0.1"; empty if there are none.
template <class Predicate>
std::string slopes_where(const RaceFile& race, Predicate holds) {
  std::vector<std::string> names;
  for (const auto& slope : race.state.slopes) {
    if (holds(slope)) names.push_back(shortest(slope.negative_slope));
  }
  if (names.empty()) return {};
  const std::string noun = names.size() == 1 ? "slope " : "slopes ";
  return noun + enumerate_words(std::move(names), "and");
}

/// Replaces the verdict with the decision of the race, and removes the results of the test for a fixed number of seeds.
void take_decision(Comparison& comparison, const RaceState& state) {
  const auto found = std::ranges::find(state.slopes, comparison.negative_slope, &RaceSlope::negative_slope);
  const bool is_known = found != state.slopes.end();
  comparison.verdict = is_known ? found->decision : Verdict::undecided;
  comparison.significant = is_decided(comparison.verdict);
  comparison.can_be_significant = is_known && found->comparison.has_value();
  comparison.p.reset();
  comparison.p_holm.reset();
  comparison.smallest_p_holm = std::numeric_limits<double>::quiet_NaN();
  comparison.simultaneous_interval.reset();
}

/// Also handles a file for which describe_race was called before, possibly by an earlier version.
void describe_methods(StatisticsFile& file) {
  std::erase_if(file.notes, [](const std::string& note) { return note.find("race.json") != std::string::npos; });
  file.notes.insert(file.notes.begin(),
                    "The verdicts are the decisions of the race (race.json); the other values of the comparisons only "
                    "describe the arms.");
  std::erase_if(file.methods, [](const auto& method) {
    return method.first == "p" || method.first == "p_holm" || method.first == "simultaneous_interval";
  });
  for (auto& [key, method] : file.methods) {
    if (key == "verdict") method = "the decision of the race; race.json contains its tests and intervals";
  }
}

}  // namespace

Findings findings_of(const RaceFile& race, const std::vector<SlopeSummary>& slopes) {
  const RacePlan& plan = race.planned.plan;
  Findings findings;
  findings.equivalence = plan.equivalence;
  findings.is_over = race.state.is_over;
  if (race.state.looks.empty() && !plan.looks.empty()) findings.first_look = plan.looks.front();
  for (const auto& slope : race.state.slopes) findings.slopes.push_back(finding_of(plan, slope));
  findings.slopes.push_back(control_finding(plan, race.state));
  std::sort(findings.slopes.begin(), findings.slopes.end(),
            [](const auto& a, const auto& b) { return a.negative_slope < b.negative_slope; });
  for (const auto& summary : slopes) {
    for (auto& finding : findings.slopes) {
      if (finding.negative_slope != summary.negative_slope) continue;
      finding.mean_fd = summary.mean_fd;
      finding.score = score_text(summary);
    }
  }
  return findings;
}

std::vector<std::string> race_caveats(const RaceFile& race) {
  const RacePlan& plan = race.planned.plan;
  const double alpha = alpha_percent(plan);
  std::vector<std::string> caveats;
  const std::string given_up =
      slopes_where(race, [](const RaceSlope& slope) { return slope.decision == Verdict::given_up; });
  if (!given_up.empty()) {
    caveats.push_back(
        format_text("The error rate of {:g} % does not cover the decision to give up on {}: it was made without a "
                    "test, because FD during training was at least {:g} times the control's in the first two seeds.",
                    alpha, given_up, plan.give_up));
  }
  const std::string spread =
      slopes_where(race, [](const RaceSlope& slope) { return slope.comparison && slope.comparison->spreads_differ; });
  if (!spread.empty()) {
    caveats.push_back(
        format_text("The FDs of {} scatter more than twice or less than half as much as the control's; with such "
                    "different spreads, the error rate can exceed {:g} %.",
                    spread, alpha));
  }
  caveats.push_back(format_text("This holds after {} training images; after more images, other slopes may be better.",
                                race.planned.images));
  return caveats;
}

std::string method_sentence(const RaceFile& race) {
  const RacePlan& plan = race.planned.plan;
  return format_text(
      "FD is the Frechet distance; lower is better. Ratios are those of geometric means; intervals have {:g} % "
      "confidence for {} slope{} and all looks simultaneously. Verdicts: exact permutation tests on log FD with "
      "Holm's correction, at looks with {} arms per slope.",
      100 - alpha_percent(plan), plan.slopes.size(), plural_s(plan.slopes.size()), looks_text(plan));
}

void describe_race(StatisticsFile& file, const RaceFile& race) {
  const Findings findings = findings_of(race, file.statistics.slopes);
  file.recommendation = recommendation(findings);
  file.findings = finding_sentences(findings);
  for (const auto& caveat : race_caveats(race)) file.findings.push_back(caveat);
  if (file.metric && file.metric->caveat) file.findings.push_back(*file.metric->caveat);
  file.method = method_sentence(race);
  file.answer = file.recommendation + " " + join(file.findings, " ");
  for (auto& comparison : file.statistics.comparisons) take_decision(comparison, race.state);
  describe_methods(file);
}

}  // namespace slopegan
