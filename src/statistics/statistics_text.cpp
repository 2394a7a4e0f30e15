#include "statistics/statistics_text.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "statistics/findings.h"
#include "support/text.h"

namespace slopegan {

std::string method_sentence(const SweepStatistics& statistics) {
  std::int64_t seeds = 0, family = 0;
  for (const auto& comparison : statistics.comparisons) {
    seeds = std::max(seeds, comparison.informative_pairs());
    family += comparison.informative_pairs() > 0;
  }
  if (family == 0) return "FD is the Frechet distance; lower is better.";
  std::vector<std::string> with_means;
  for (const auto& slope : findings_of(statistics).slopes) {
    if (slope.has_mean_ratio) with_means.push_back(shortest(slope.negative_slope));
  }
  const std::string exceptions =
      with_means.empty()
          ? ""
          : format_text(" (for {}, ratios of geometric means, because the median lies outside the interval)",
                        enumerate_words(std::move(with_means), "and"));
  return format_text(
      "FD is the Frechet distance; lower is better. Ratios are medians over {}{}; intervals have {:g} % confidence{}. "
      "Verdicts: paired sign-flip test on log FD with Holm's correction, at {:g} %.",
      counted(seeds, "seed"), exceptions, 100 * (1 - statistics.alpha),
      family > 1 ? format_text(" for all {} comparisons simultaneously", family) : "", 100 * statistics.alpha);
}

static std::string missing_text(const SweepStatistics& statistics) {
  constexpr std::size_t most_named = 5;
  std::vector<std::string> names;
  for (const auto& arm : statistics.missing) {
    if (names.size() == most_named) break;
    names.push_back(format_text("slope {} seed {}", shortest(arm.negative_slope), arm.seed));
  }
  if (statistics.missing.size() > most_named) names.push_back("...");
  return format_text("{} of {} arms {} missing: not trained to the end, or without an FD ({}).",
                     statistics.missing.size(), statistics.slopes.size() * statistics.seeds.size(),
                     statistics.missing.size() == 1 ? "is" : "are", join(names, ", "));
}

static std::string bias_text(const FdMetric& metric) {
  const std::string amount = metric.bias ? format_text(", here by about {:.3g}", *metric.bias) : "";
  return format_text(
      "FD computed from {} images is biased upwards{}, about equally for all arms: the true ratios are further "
      "from 1, and FDs computed from other numbers of images are not comparable.",
      metric.samples, amount);
}

/// The note on the bootstrap with fewer than nine seeds.
static std::string bootstrap_text(double alpha) {
  // bootstrap_median_interval states the coverage for this alpha. For others, it may be higher or lower than nominal.
  const std::string coverage =
      alpha == 0.05 ? "overconfident: its 95 % intervals contain the true median in 75 % of the cases with 3 seeds, "
                      "94 % with 5 and 88 % with 7"
                    : format_text("unreliable: its {:g} % intervals may contain the true median much less often",
                                  100 * (1 - alpha));
  return "With so few seeds the bootstrap is " + coverage +
         ", and the probabilities of being best are too close to 0 and 1.";
}

std::vector<std::string> arm_notes(const SweepStatistics& statistics) {
  std::vector<std::string> notes;
  if (!statistics.missing.empty()) notes.push_back(missing_text(statistics));
  std::int64_t diverged = 0, collapsed = 0;
  for (const auto& slope : statistics.slopes) {
    diverged += slope.diverged;
    collapsed += slope.collapsed;
  }
  std::vector<std::string> failures;
  if (diverged > 0) failures.push_back(counted(diverged, "arm") + " diverged");
  if (collapsed > 0) failures.push_back(counted(collapsed, "arm") + " collapsed");
  if (!failures.empty()) notes.push_back(join(failures, " and ") + "; a failed arm counts as the worst for its seed.");
  return notes;
}

std::vector<std::string> statistics_notes(const SweepStatistics& statistics, const SweepScores& scores) {
  std::vector<std::string> notes = scores.notes;
  if (statistics.control != statistics.wanted_control) {
    notes.push_back(format_text("The control {} is not among the slopes; the nearest one, {}, is used instead.",
                                shortest(statistics.wanted_control), shortest(statistics.control)));
  }
  if (scores.conditions.size() < 2) {
    for (auto& note : arm_notes(statistics)) notes.push_back(std::move(note));
  }
  std::int64_t most_pairs = 0;
  for (const auto& comparison : statistics.comparisons) most_pairs = std::max(most_pairs, comparison.pairs);
  if (most_pairs > 1 && most_pairs < 9) notes.push_back(bootstrap_text(statistics.alpha));
  if (most_pairs > static_cast<std::int64_t>(most_exact_pairs)) {
    notes.push_back(
        format_text("With more than {} seeds, the test draws {} random sign flips instead of enumerating all.",
                    most_exact_pairs, random_flips));
  }
  if (scores.metric) notes.push_back(bias_text(*scores.metric));
  return notes;
}

std::string rulers_text(const FdMetric& metric, const RulerComparison& other) {
  if (!other.kendall_tau) {
    return format_text("{} and {} cannot be compared: {}.", metric.name, other.metric.name,
                       other.slopes.size() < 2 ? "fewer than two slopes have both"
                                               : "all slopes have the same mean according to one of them");
  }
  const auto lowest = [&](double RulerSlope::* mean) {
    const auto best = std::min_element(other.slopes.begin(), other.slopes.end(),
                                       [&](const auto& a, const auto& b) { return a.*mean < b.*mean; });
    return shortest(best->negative_slope);
  };
  const std::string best = lowest(&RulerSlope::mean_fd), other_best = lowest(&RulerSlope::other_mean_fd);
  return format_text(
      "Kendall's tau between the rankings of {} slopes by mean {} and by mean {} is {:.2f} (1: the same ranking, -1: "
      "the reverse); {}.",
      other.slopes.size(), metric.name, other.metric.name, *other.kendall_tau,
      best == other_best ? format_text("slope {} is best in both", best)
                         : format_text("the best slopes are {} and {}, respectively", best, other_best));
}

std::vector<std::pair<std::string, std::string>> statistics_methods(const SweepStatistics& statistics) {
  const double confidence = 100 * (1 - statistics.alpha);
  return {
      {"p", "paired sign-flip permutation test on differences in log FD, two-sided"},
      {"p_holm", "Holm's correction over the slopes"},
      {"verdict", "by p_holm and the sign of the test statistic: net failures, then the mean difference in log FD"},
      {"median_ratio_interval",
       format_text("exact percentile bootstrap over seeds, {:g} %, too narrow with few seeds", confidence)},
      {"simultaneous_interval",
       format_text("inverted sign-flip test (means of all subsets of seeds), {:g} % for all slopes simultaneously",
                   confidence)},
      {"probability_best",
       format_text("lowest mean log FD in {} bootstrap resamples of the complete seeds", statistics.resamples)},
      {"seed_variance", "of log FD between seeds"},
      {"metric_variance", "of log FD between sets of images from one generator"},
      {"rank_stability", "mean Kendall tau-b between seeds"},
      {"rulers", "Kendall tau-b between the slopes' mean FDs from two feature extractors, over arms with both FDs"}};
}

/// Formats `value` with as many decimals as `like` needs for three significant digits. If `like` is below 1, `value`
/// itself has three significant digits.
static std::string with_decimals_of(double value, double like) {
  const double size = std::abs(like);
  if (size < 1) return format_text("{:.3g}", value);
  return format_text("{:.{}f}", value, size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

std::string slope_name(double slope) {
  const std::string text = shortest(slope);
  return slope == 0 ? text + " (ReLU)" : slope == 1 ? text + " (linear)" : text;
}

std::string score_number(double value) { return with_decimals_of(value, value); }

std::string score_text(const SlopeSummary& summary) {
  const std::int64_t failed = summary.diverged + summary.collapsed, arms = summary.scored + failed + summary.missing;
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
