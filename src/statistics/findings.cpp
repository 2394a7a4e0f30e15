#include "statistics/findings.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "statistics/inference.h"
#include "statistics/statistics_text.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr double without_limit = std::numeric_limits<double>::infinity();

/// Converts a verdict in statistics.json to SlopeFinding::verdict.
Verdict found_verdict(Verdict verdict) {
  if (verdict == Verdict::equivalent) return Verdict::no_difference_detected;
  return verdict == Verdict::undecided ? Verdict::too_few_seeds : verdict;
}

/// Sets the estimate to the median ratio or, if the median lies outside the limits, to the ratio of geometric means.
/// Sets no estimate if both lie outside.
void set_ratio(SlopeFinding& finding, const Comparison& comparison) {
  constexpr double rounding = 1e-9;
  const auto& [low, high] = finding.limits;
  // statistics.json stores an infinite ratio as null, which is read as std::nullopt.
  const double median_ratio = comparison.median_ratio.value_or(without_limit);
  const double mean_ratio = std::exp(comparison.mean_log_ratio.value_or(std::numeric_limits<double>::quiet_NaN()));
  for (const double ratio : {median_ratio, mean_ratio}) {
    if (!(ratio >= low * (1 - rounding) && ratio <= high * (1 + rounding))) continue;
    finding.ratio = std::clamp(ratio, low, high);
    finding.has_mean_ratio = ratio != median_ratio;
    return;
  }
}

void add_comparison(SlopeFinding& finding, const Comparison& comparison) {
  finding.verdict = found_verdict(comparison.verdict);
  finding.seeds = comparison.informative_pairs();
  finding.limits = limits_for(finding.verdict, comparison.simultaneous_interval);
  if (finding.seeds > 0) set_ratio(finding, comparison);
  finding.control_arms = comparison.pairs;
  finding.control_failed = comparison.control_lost + comparison.both_lost;
  finding.has_fds = comparison.has_ratio();
  if (finding.has_fds || finding.seeds == 0) return;
  finding.limits = limits_for(finding.verdict, std::nullopt);
  finding.ratio.reset();
  finding.has_mean_ratio = false;
  if (comparison.lost != comparison.control_lost) {
    finding.ratio = comparison.lost > comparison.control_lost ? without_limit : 0;
  }
}

/// "1.5 times as high", "12 times as high" or "over 1000 times as high".
std::string factor_words(double factor) {
  if (factor >= 1000) return "over 1000 times as high";
  return format_text("{:.{}f} times as high", factor, factor >= 10 ? 0 : 1);
}

/// A ratio of FDs in words: "12 % lower", "3.1 times as high".
std::string ratio_words(double ratio) {
  if (!(ratio < without_limit)) return "without limit";
  if (ratio <= 0) return "100 % lower";
  if (ratio >= 2) return factor_words(ratio);
  const double percent = std::round(100 * std::abs(ratio - 1));
  return (percent < 1 ? "less than 1" : format_text("{:.0f}", percent)) + (ratio < 1 ? " % lower" : " % higher");
}

/// A limit, rounded down or up: "12 % lower", "2.2 times as high", "equal".
std::string limit_words(double limit, bool is_upper) {
  const auto outwards = [&](double value) { return is_upper ? std::ceil(value - 1e-9) : std::floor(value + 1e-9); };
  if (limit >= 10) return factor_words(outwards(limit));
  if (limit >= 2) return factor_words(outwards(10 * limit) / 10);
  const double percent = outwards(100 * (limit - 1));
  if (percent == 0) return "equal";
  return format_text("{:.0f} % {}", std::abs(percent), percent < 0 ? "lower" : "higher");
}

bool has_estimate(const SlopeFinding& slope) {
  return slope.has_fds && slope.ratio && *slope.ratio > 0 && std::isfinite(*slope.ratio);
}

/// "FD 13 % lower (2 to 19 % lower)". If there is no estimate, only the limits; empty if they only repeat the verdict.
std::string measured_words(const SlopeFinding& slope) {
  const Interval& limits = slope.limits;
  if (has_estimate(slope)) return "FD " + ratio_words(*slope.ratio) + " (" + limits_words(limits) + ")";
  const bool repeats_verdict = (limits.low <= 0 && limits.high == 1) || (limits.low == 1 && std::isinf(limits.high));
  return slope.has_fds && !repeats_verdict ? limits_words(limits) : "";
}

/// The words after the number: "% lower".
std::string unit_of(const std::string& limit) { return limit.substr(std::min(limit.find(' '), limit.size())); }

}  // namespace

Interval limits_for(Verdict verdict, const std::optional<Interval>& interval) {
  Interval limits = interval.value_or(Interval{0, without_limit});
  if (!(limits.low >= 0)) limits.low = 0;
  if (!(limits.high >= limits.low)) limits.high = without_limit;
  if (std::isinf(limits.low)) limits.low = 1;
  if (limits.high <= 0) limits.high = 1;
  return is_decided(verdict) ? limits_of_verdict(limits, verdict == Verdict::better) : limits_including_one(limits);
}

Findings findings_of(const SweepStatistics& statistics) {
  Findings findings;
  findings.missing_arms = std::ssize(statistics.missing);
  std::size_t family = 0;
  for (const auto& comparison : statistics.comparisons) family += comparison.informative_pairs() > 0;
  findings.seeds_needed =
      static_cast<std::int64_t>(pairs_needed(std::max<std::size_t>(family, 1), statistics.alpha).value_or(0));
  for (const auto& summary : statistics.slopes) {
    SlopeFinding finding{.negative_slope = summary.negative_slope};
    finding.failed = summary.diverged + summary.collapsed;
    finding.arms = summary.scored + finding.failed;
    finding.mean_fd = summary.mean_fd;
    finding.score = score_text(summary);
    if (summary.negative_slope == statistics.control) {
      finding.verdict = Verdict::control;
      finding.ratio = 1;
      finding.limits = {1, 1};
    }
    findings.slopes.push_back(finding);
  }
  for (const auto& comparison : statistics.comparisons) {
    for (auto& finding : findings.slopes) {
      if (finding.negative_slope == comparison.negative_slope) add_comparison(finding, comparison);
    }
  }
  return findings;
}

bool was_compared(const SlopeFinding& slope) {
  return slope.verdict != Verdict::not_comparable && slope.verdict != Verdict::given_up &&
         slope.verdict != Verdict::control;
}

bool mostly_failed(const SlopeFinding& slope) { return 2 * slope.failed > slope.arms; }

const SlopeFinding* lowest_mean(const Findings& findings) {
  const SlopeFinding* lowest = nullptr;
  for (const auto& slope : findings.slopes) {
    if (!slope.mean_fd || !std::isfinite(*slope.mean_fd) || mostly_failed(slope)) continue;
    if (lowest == nullptr || *slope.mean_fd < *lowest->mean_fd) lowest = &slope;
  }
  return lowest;
}

bool has_limits(const SlopeFinding& slope) { return was_compared(slope) && slope.has_fds; }

bool is_equivalent(const Findings& findings, const SlopeFinding& slope) {
  return slope.verdict == Verdict::no_difference_detected && slope.limits.low >= 1 - findings.equivalence &&
         slope.limits.high <= 1 + findings.equivalence;
}

std::string verdict_words(Verdict verdict) {
  std::string words = name_of(verdict);
  std::ranges::replace(words, '_', ' ');
  return words;
}

std::string limits_words(const Interval& limits) {
  const bool has_low = limits.low > 0, has_high = limits.high < without_limit;
  if (!has_low && !has_high) return "no limits";
  std::string low = limit_words(limits.low, false), high = limit_words(limits.high, true);
  if (!has_high) return limits.low < 1 ? "at best " + low : low == "equal" ? "no upper limit" : "at least " + low;
  if (!has_low) return limits.high > 1 ? "at worst " + high : high == "equal" ? "no lower limit" : "at least " + high;
  if (low == high) return low;
  if (limits.low < 1 && limits.high > 1) return "between " + low + " and " + high;
  if (limits.high <= 1) std::swap(low, high);  // the smaller difference first
  if (low == "equal") return "0 to " + high;
  return (unit_of(low) == unit_of(high) ? low.substr(0, low.find(' ')) : low) + " to " + high;
}

std::string failure_words(const SlopeFinding& slope) {
  std::vector<std::string> parts;
  if (slope.failed > 0) parts.push_back(format_text("{} of {} arms failed", slope.failed, slope.arms));
  if (slope.control_failed > 0 && !has_estimate(slope)) {
    parts.push_back(format_text("{} of {} arms of the control failed", slope.control_failed, slope.control_arms));
  }
  return join(parts, "; ");
}

std::string finding_sentence(const Findings& findings, const SlopeFinding& slope) {
  const auto is_control = [](const SlopeFinding& finding) { return finding.verdict == Verdict::control; };
  const auto control = std::find_if(findings.slopes.begin(), findings.slopes.end(), is_control);
  const std::string name = shortest(slope.negative_slope);
  const std::string reference = control == findings.slopes.end() ? "the control" : shortest(control->negative_slope);
  const std::string estimate = has_estimate(slope) ? "FD " + ratio_words(*slope.ratio) : "";
  const std::string failures = failure_words(slope);
  const auto details = [&](const std::string& measured) {
    std::vector<std::string> parts;
    if (!measured.empty()) parts.push_back(measured);
    if (!failures.empty()) parts.push_back(failures);
    return (parts.empty() ? "" : ": " + join(parts, "; ")) + ".";
  };
  const std::string tested = measured_words(slope);
  switch (slope.verdict) {
    case Verdict::control:
      return name + " is the control" + (slope.score.empty() ? "" : ": " + slope.score) + ".";
    case Verdict::better:
      return name + " is better than " + reference + details(tested);
    case Verdict::worse:
      return name + " is worse than " + reference + details(tested);
    case Verdict::no_difference_detected:
      return name + " does not differ detectably from " + reference + (findings.is_over ? "" : " so far") +
             details(tested);
    case Verdict::too_few_seeds:
      if (findings.first_look > 0) return name + " has not been compared yet.";
      return format_text("{} is undecided, because {} seed{} too few{}", name, slope.seeds,
                         slope.seeds == 1 ? " is" : "s are", details(estimate));
    case Verdict::given_up:
      return format_text(
          "{} was given up after {} arms, without a test{}", name, slope.arms,
          details(estimate.empty() ? "" : "during training, its FD was at least " + ratio_words(*slope.ratio)));
    case Verdict::not_comparable:
    case Verdict::equivalent:
    case Verdict::undecided:
      return name + " cannot be compared with " + reference + details("");
  }
  return {};
}

}  // namespace slopegan
