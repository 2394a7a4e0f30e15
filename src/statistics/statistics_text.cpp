#include "statistics/statistics_text.h"

#include <algorithm>
#include <cmath>

#include "statistics/paired_tests.h"
#include "support/text.h"

namespace slopegan {

namespace {

std::string counted(std::size_t count, const std::string& noun) {
  return format_text("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string slope_list(const std::vector<const Comparison*>& comparisons) {
  std::vector<std::string> slopes;
  for (const auto* comparison : comparisons) slopes.push_back(shortest(comparison->negative_slope));
  return join(slopes, ", ");
}

/// "12 % lower", "3.1 times as high".
std::string change_text(double ratio) {
  if (std::isinf(ratio)) return "infinitely higher";
  if (ratio == 0) return "infinitely lower";
  if (ratio >= 2) return format_text("{:.1f} times as high", ratio);
  const double percent = 100 * std::abs(ratio - 1);
  const std::string size = percent < 0.5 ? "less than 1" : format_text("{:.0f}", percent);
  return size + (ratio < 1 ? " % lower" : " % higher");
}

/// What is known of one slope that differs from the control.
std::string finding(const Comparison& comparison) {
  std::string text = shortest(comparison.negative_slope) + (comparison.better ? " is better" : " is worse") + " (";
  if (comparison.lost + comparison.control_lost > 0) {
    text += format_text("came to nothing in {} of {}, the control in {}; ", comparison.lost,
                        counted(comparison.pairs, "seed"), comparison.control_lost);
  }
  const Interval& interval = *comparison.median_ratio_interval;
  if (*comparison.median_ratio > 0 && std::isfinite(*comparison.median_ratio)) {
    text += "median FD " + change_text(*comparison.median_ratio) + ", bootstrap interval " + change_text(interval.low) +
            " to " + change_text(interval.high) + ", ";
  }
  return text + format_text("p = {:.2g} after correction, {})", *comparison.p_holm, counted(comparison.pairs, "seed"));
}

/// What the undecided slopes leave open. Rounded up: the claim is never larger than the evidence.
std::string exclusion(const std::vector<const Comparison*>& undecided) {
  double largest = 0;
  for (const auto* comparison : undecided) {
    const Interval& limits = *comparison->simultaneous_interval;
    largest = std::max({largest, limits.high - 1, 1 - limits.low});
  }
  if (std::isinf(largest)) return "but no size of difference is excluded";
  if (largest >= 1)
    return format_text("FD more than {:.1f} times as high is excluded", std::ceil(10 * (largest + 1)) / 10);
  return format_text("differences of FD of more than {:.0f} % are excluded", std::ceil(100 * largest));
}

/// The slope that comes out lowest, without a claim.
std::string tendency(const SweepStatistics& statistics) {
  const std::string control = shortest(statistics.control);
  const Comparison* lowest = nullptr;
  for (const auto& comparison : statistics.comparisons) {
    if (!comparison.median_ratio || *comparison.median_ratio >= 1) continue;
    if (lowest == nullptr || *comparison.median_ratio < *lowest->median_ratio) lowest = &comparison;
  }
  if (lowest == nullptr) return "in these runs none has a lower median FD than " + control;
  return format_text("in these runs {} comes out lowest (median FD {} than that of {}, lower in {} of {})",
                     shortest(lowest->negative_slope), change_text(*lowest->median_ratio), control, lowest->wins,
                     counted(lowest->pairs, "seed"));
}

/// Why so few seeds can show nothing, of slopes for which that is so.
std::string impossibility(const SweepStatistics& statistics, const std::vector<const Comparison*>& impossible) {
  std::size_t pairs = 0, family = 0;
  for (const auto* comparison : impossible) pairs = std::max(pairs, comparison->pairs);
  for (const auto& comparison : statistics.comparisons) family += comparison.pairs > 0;
  return format_text(
      "{} cannot show a difference between {} and {}: the smallest possible p is {:.2g}, {} {} {:.2g}, which takes {} "
      "seeds",
      counted(pairs, "seed"), shortest(statistics.control), slope_list(impossible), smallest_sign_flip_p(pairs),
      counted(family, "comparison"), family == 1 ? "needs" : "need", statistics.alpha / static_cast<double>(family),
      pairs_needed(family, statistics.alpha));
}

/// The comparisons by what can be said about them.
struct Findings {
  std::vector<const Comparison*> better, worse, undecided, impossible, unpaired;
};

Findings sort_out(const SweepStatistics& statistics) {
  Findings findings;
  for (const auto& comparison : statistics.comparisons) {
    auto& kind = comparison.pairs == 0                              ? findings.unpaired
                 : !comparison.can_be_significant(statistics.alpha) ? findings.impossible
                 : !comparison.is_significant(statistics.alpha)     ? findings.undecided
                 : comparison.better                                ? findings.better
                                                                    : findings.worse;
    kind.push_back(&comparison);
  }
  return findings;
}

}  // namespace

std::string answer(const SweepStatistics& statistics) {
  const std::string control = shortest(statistics.control);
  if (statistics.missing.size() == statistics.slopes.size() * statistics.seeds.size()) {
    return "No arm has an FD, so nothing can be said about the slopes.";
  }
  if (statistics.comparisons.empty()) return "There is one slope, " + control + ", and nothing to compare it with.";
  const Findings findings = sort_out(statistics);
  if (findings.unpaired.size() == statistics.comparisons.size()) {
    return "No slope shares a seed with " + control + ", so nothing can be said about the slopes.";
  }
  std::vector<std::string> parts;
  for (const auto* comparison : findings.better) parts.push_back(finding(*comparison));
  const bool any_possible = !findings.worse.empty() || !findings.undecided.empty();
  if (findings.better.empty() && any_possible) parts.push_back("none is shown to be better than " + control);
  for (const auto* comparison : findings.worse) parts.push_back(finding(*comparison));
  if (!findings.undecided.empty()) {
    parts.push_back("there is no detectable difference between " + control + " and " + slope_list(findings.undecided) +
                    " (" + exclusion(findings.undecided) + ")");
  }
  if (!findings.impossible.empty()) parts.push_back(impossibility(statistics, findings.impossible));
  if (findings.better.empty()) parts.push_back(tendency(statistics));
  if (!findings.unpaired.empty()) parts.push_back("nothing is known about " + slope_list(findings.unpaired));
  std::vector<std::string> slopes;
  for (const auto& slope : statistics.slopes) slopes.push_back(shortest(slope.negative_slope));
  return "Of the slopes tried (" + join(slopes, ", ") + "; compared with " + control + "): " + join(parts, "; ") + ".";
}

static std::string missing_text(const SweepStatistics& statistics) {
  constexpr std::size_t most_named = 5;
  std::vector<std::string> names;
  for (const auto& [slope, seed] : statistics.missing) {
    if (names.size() == most_named) break;
    names.push_back("slope " + shortest(slope) + " seed " + std::to_string(seed));
  }
  if (statistics.missing.size() > most_named) names.push_back("...");
  return format_text("{} of {} arms are missing, not trained to the end or without FD (", statistics.missing.size(),
                     statistics.slopes.size() * statistics.seeds.size()) +
         join(names, ", ") + ").";
}

static std::string bias_text(const SweepScores& scores) {
  const std::string amount = scores.fd_bias ? format_text(", here by about {:.3g}", *scores.fd_bias) : "";
  return format_text(
      "FD of {} images is biased upwards{}, about equally for all arms: the true ratios are further from 1, "
      "and figures of other numbers of images do not compare.",
      scores.samples, amount);
}

std::vector<std::string> statistics_notes(const SweepStatistics& statistics, const SweepScores& scores) {
  std::vector<std::string> notes = scores.notes;
  if (statistics.control != statistics.wanted_control) {
    notes.push_back("The control " + shortest(statistics.wanted_control) + " is not among the slopes; the nearest, " +
                    shortest(statistics.control) + ", stands in for it.");
  }
  if (!statistics.missing.empty()) notes.push_back(missing_text(statistics));
  std::size_t diverged = 0, collapsed = 0, most_pairs = 0;
  for (const auto& slope : statistics.slopes) {
    diverged += slope.diverged;
    collapsed += slope.collapsed;
  }
  if (diverged + collapsed > 0) {
    notes.push_back(format_text("{} diverged and {} collapsed: such an arm counts as the worst of its seed.",
                                counted(diverged, "arm"), collapsed));
  }
  for (const auto& comparison : statistics.comparisons) most_pairs = std::max(most_pairs, comparison.pairs);
  if (most_pairs > 1 && most_pairs < 9) {
    notes.push_back(
        "So few seeds make the bootstrap too sure of itself: its 95 % intervals hold the true median in 75 % of the "
        "cases "
        "with 3 seeds, 94 % with 5 and 88 % with 7, and the probabilities of being best are too near to 0 and 1.");
  }
  if (most_pairs > most_exact_pairs) {
    notes.push_back(format_text("Above {} seeds the test looks at {} random sign flips instead of all.",
                                most_exact_pairs, random_flips));
  }
  if (scores.samples > 0) notes.push_back(bias_text(scores));
  return notes;
}

/// `value` with as many decimals as three digits of `like` need.
static std::string with_decimals_of(double value, double like) {
  const double size = std::abs(like);
  if (size < 1) return format_text("{:.3g}", value);
  return format_text("{:.{}f}", value, size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

std::string score_number(double value) { return with_decimals_of(value, value); }

std::string score_text(const SlopeSummary& summary) {
  const std::size_t failed = summary.diverged + summary.collapsed, arms = summary.scored + failed + summary.missing;
  std::vector<std::string> parts;
  if (summary.mean_fd) {
    parts.push_back("FD " + score_number(*summary.mean_fd));
    if (summary.fd_deviation) parts.back() += " +/- " + with_decimals_of(*summary.fd_deviation, *summary.mean_fd);
    if (summary.fd_deviation && failed == 0) parts.back() += " (" + counted(summary.scored, "seed") + ")";
  }
  if (arms > 1 && summary.diverged > 0) parts.push_back(format_text("{} of {} diverged", summary.diverged, arms));
  if (arms > 1 && summary.collapsed > 0) parts.push_back(format_text("{} of {} collapsed", summary.collapsed, arms));
  return join(parts, ", ");
}

}  // namespace slopegan
