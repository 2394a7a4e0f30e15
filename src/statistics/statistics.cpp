#include "statistics/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>
#include <utility>

#include "support/text.h"

namespace slopegan {

namespace {

constexpr double failure = std::numeric_limits<double>::infinity();

/// Log FD of the arms with a known result, by seed; +∞ for an arm that failed.
using ScoresBySeed = std::map<std::int64_t, double>;

/// The scores by slope. A slope without known results has an empty entry.
using ScoreTable = std::map<double, ScoresBySeed>;

ScoreTable score_table(const std::vector<ArmScore>& arms) {
  if (arms.empty()) throw std::invalid_argument("sweep_statistics: no arms");
  ScoreTable table;
  std::set<std::pair<double, std::int64_t>> seen;
  for (const auto& arm : arms) {
    if (!seen.insert({arm.negative_slope, arm.seed}).second) {
      throw std::invalid_argument(
          format_text("sweep_statistics: two arms with slope {} and seed {}", shortest(arm.negative_slope), arm.seed));
    }
    auto& scores = table[arm.negative_slope];
    if (const auto score = log_score(arm)) scores[arm.seed] = *score;
  }
  return table;
}

struct PairedScores {
  /// Slope minus control for each seed for which both are known; ±∞ if one of them failed, 0 if both did.
  std::vector<double> differences;
  /// The same without the seeds for which both failed.
  std::vector<double> informative;
  /// One element per seed for which both have a score.
  std::vector<double> slope, control, finite_differences;
};

PairedScores paired_scores(const ScoresBySeed& slope, const ScoresBySeed& control) {
  PairedScores paired;
  for (const auto& [seed, score] : slope) {
    const auto found = control.find(seed);
    if (found == control.end()) continue;
    const double other = found->second;
    const bool both_failed = std::isinf(score) && std::isinf(other);
    paired.differences.push_back(both_failed ? 0 : score - other);
    if (both_failed) continue;
    paired.informative.push_back(score - other);
    if (!std::isfinite(score) || !std::isfinite(other)) continue;
    paired.slope.push_back(score);
    paired.control.push_back(other);
    paired.finite_differences.push_back(score - other);
  }
  return paired;
}

/// The scores for the seeds for which every slope has a known score. Slopes without any known score are ignored.
struct CompleteScores {
  std::vector<double> slopes;
  std::vector<std::vector<double>> scores;  ///< [slope][seed]
  std::size_t seeds = 0;
};

CompleteScores complete_scores(const ScoreTable& table, const std::vector<std::int64_t>& seeds) {
  CompleteScores complete;
  std::vector<const ScoresBySeed*> known;
  for (const auto& [slope, scores] : table) {
    if (scores.empty()) continue;
    complete.slopes.push_back(slope);
    known.push_back(&scores);
  }
  complete.scores.resize(known.size());
  for (const auto seed : seeds) {
    const auto has_seed = [seed](const ScoresBySeed* scores) { return scores->contains(seed); };
    if (known.empty() || !std::all_of(known.begin(), known.end(), has_seed)) continue;
    for (std::size_t i = 0; i < known.size(); ++i) complete.scores[i].push_back(known[i]->at(seed));
    ++complete.seeds;
  }
  return complete;
}

double nearest_slope(const ScoreTable& table, double wanted) {
  const auto distance = [&](const auto& entry) { return std::abs(entry.first - wanted); };
  return std::min_element(table.begin(), table.end(),
                          [&](const auto& a, const auto& b) { return distance(a) < distance(b); })
      ->first;
}

std::vector<double> finite_values(const ScoresBySeed& scores) {
  std::vector<double> values;
  for (const auto& [seed, score] : scores) {
    if (std::isfinite(score)) values.push_back(score);
  }
  return values;
}

/// The mean of (log fd − log fd_repeat)² / 2 over the scored arms that have both values.
std::optional<double> variance_of_metric(const std::vector<ArmScore>& arms, const ScoreTable& table) {
  std::vector<double> variances;
  for (const auto& arm : arms) {
    const auto& scores = table.at(arm.negative_slope);
    const auto score = scores.find(arm.seed);
    if (score == scores.end() || !arm.fd_repeat || *arm.fd_repeat <= 0) continue;
    const double difference = score->second - std::log(*arm.fd_repeat);
    if (std::isfinite(difference)) variances.push_back(difference * difference / 2);
  }
  return variances.empty() ? std::nullopt : std::optional(mean(variances));
}

SlopeSummary summarise(double slope, const std::vector<ArmScore>& all, const ScoreTable& table) {
  const auto& scores = table.at(slope);
  SlopeSummary summary;
  summary.negative_slope = slope;
  std::vector<ArmScore> arms;
  std::vector<double> distances;
  for (const auto& arm : all) {
    if (arm.negative_slope != slope) continue;
    arms.push_back(arm);
    if (!scores.contains(arm.seed)) {
      ++summary.missing;
    } else if (std::isfinite(scores.at(arm.seed))) {
      distances.push_back(*arm.fd);
    } else {
      ++(arm.outcome == ArmOutcome::collapsed ? summary.collapsed : summary.diverged);
    }
  }
  summary.scored = std::ssize(distances);
  summary.arms = std::ssize(arms);
  if (!distances.empty()) summary.mean_fd = mean(distances);
  if (const auto variance = sample_variance(distances)) summary.fd_deviation = std::sqrt(*variance);
  summary.seed_variance = sample_variance(finite_values(scores));
  summary.metric_variance = variance_of_metric(arms, table);
  return summary;
}

Interval ratios(const Interval& logs) { return {std::exp(logs.low), std::exp(logs.high)}; }

Comparison compare(double slope, const ScoresBySeed& scores, const ScoresBySeed& control,
                   const StatisticsOptions& options) {
  Comparison comparison;
  comparison.negative_slope = slope;
  const auto paired = paired_scores(scores, control);
  comparison.pairs = std::ssize(paired.differences);
  if (comparison.pairs == 0) return comparison;
  const auto& differences = paired.differences;
  for (const double difference : differences) {
    comparison.lost += difference == failure;
    comparison.control_lost += difference == -failure;
    comparison.wins += difference < 0;
  }
  comparison.median_ratio = std::exp(median(differences));
  comparison.both_lost = comparison.pairs - std::ssize(paired.informative);
  comparison.both_scored = std::ssize(paired.finite_differences);
  comparison.median_ratio_interval = ratios(bootstrap_median_interval(differences, 1 - options.alpha));
  if (!paired.finite_differences.empty()) comparison.mean_log_ratio = mean(paired.finite_differences);
  comparison.p = sign_flip_p(differences);
  comparison.pairing_correlation = correlation(paired.slope, paired.control);
  return comparison;
}

/// Computes the verdicts and the values that depend on the number of comparisons with informative pairs.
void correct_for_multiplicity(std::vector<Comparison>& comparisons, const ScoreTable& table, double control,
                              double alpha) {
  std::vector<Comparison*> family;
  std::vector<double> p, smallest;
  for (auto& comparison : comparisons) {
    if (comparison.informative_pairs() == 0) continue;
    family.push_back(&comparison);
    p.push_back(*comparison.p);
    smallest.push_back(smallest_sign_flip_p(static_cast<std::size_t>(comparison.informative_pairs())));
  }
  const auto adjusted = holm(p), smallest_adjusted = holm(smallest);
  for (std::size_t i = 0; i < family.size(); ++i) {
    Comparison& comparison = *family[i];
    comparison.p_holm = adjusted[i];
    comparison.smallest_p_holm = smallest_adjusted[i];
    comparison.can_be_significant = smallest_adjusted[i] <= alpha;
    comparison.significant = adjusted[i] <= alpha;
    comparison.verdict = verdict_of(comparison);
    const auto paired = paired_scores(table.at(comparison.negative_slope), table.at(control));
    const double confidence = 1 - alpha / static_cast<double>(family.size());
    const Interval limits = ratios(symmetric_centre_interval(paired.informative, confidence));
    comparison.simultaneous_interval =
        comparison.significant ? limits_of_verdict(limits, comparison.favours_slope()) : limits_including_one(limits);
  }
}

std::optional<double> mean_kendall_tau(const CompleteScores& complete) {
  const auto scores_of_seed = [&](std::size_t seed) {
    std::vector<double> scores;
    for (const auto& slope : complete.scores) scores.push_back(slope[seed]);
    return scores;
  };
  std::vector<double> taus;
  for (std::size_t a = 0; a < complete.seeds; ++a) {
    for (std::size_t b = a + 1; b < complete.seeds; ++b) {
      if (const auto tau = kendall_tau(scores_of_seed(a), scores_of_seed(b))) taus.push_back(*tau);
    }
  }
  return taus.empty() ? std::nullopt : std::optional(mean(taus));
}

std::optional<double> pooled_seed_variance(const std::vector<SlopeSummary>& slopes) {
  double sum = 0, degrees = 0;
  for (const auto& slope : slopes) {
    if (!slope.seed_variance) continue;
    const auto freedom = static_cast<double>(slope.scored - 1);
    sum += freedom * *slope.seed_variance;
    degrees += freedom;
  }
  return degrees > 0 ? std::optional(sum / degrees) : std::nullopt;
}

std::optional<double> mean_pairing_correlation(const std::vector<Comparison>& comparisons) {
  std::vector<double> correlations;
  for (const auto& comparison : comparisons) {
    if (comparison.pairing_correlation) correlations.push_back(*comparison.pairing_correlation);
  }
  return correlations.empty() ? std::nullopt : std::optional(mean(correlations));
}

void set_probabilities(std::vector<SlopeSummary>& slopes, const CompleteScores& complete,
                       const Resampling& resampling) {
  const auto best = probability_best(complete.scores, resampling);
  for (auto& summary : slopes) {
    const auto at = std::find(complete.slopes.begin(), complete.slopes.end(), summary.negative_slope);
    if (at == complete.slopes.end()) continue;
    summary.probability_best = best[static_cast<std::size_t>(at - complete.slopes.begin())];
  }
}

}  // namespace

std::optional<double> log_score(const ArmScore& arm) {
  if (arm.outcome == ArmOutcome::diverged || arm.outcome == ArmOutcome::collapsed) return failure;
  if (arm.outcome != ArmOutcome::done || !arm.fd || *arm.fd <= 0) return std::nullopt;
  return std::isfinite(*arm.fd) ? std::log(*arm.fd) : failure;
}

bool Comparison::favours_slope() const {
  return lost != control_lost ? lost < control_lost : mean_log_ratio.value_or(0) < 0;
}

Verdict verdict_of(const Comparison& comparison) {
  if (comparison.informative_pairs() == 0) return Verdict::not_comparable;
  if (!comparison.can_be_significant) return Verdict::too_few_seeds;
  if (!comparison.significant) return Verdict::no_difference_detected;
  return comparison.favours_slope() ? Verdict::better : Verdict::worse;
}

SweepStatistics sweep_statistics(const std::vector<ArmScore>& arms, double control, const StatisticsOptions& options) {
  const auto table = score_table(arms);
  SweepStatistics statistics;
  statistics.alpha = options.alpha;
  statistics.resamples = options.resampling.count;
  statistics.wanted_control = control;
  statistics.control = nearest_slope(table, control);
  std::set<std::int64_t> seeds;
  for (const auto& arm : arms) {
    seeds.insert(arm.seed);
    if (!table.at(arm.negative_slope).contains(arm.seed)) {
      statistics.missing.push_back({arm.negative_slope, arm.seed});
    }
  }
  statistics.seeds.assign(seeds.begin(), seeds.end());
  for (const auto& [slope, scores] : table) {
    statistics.slopes.push_back(summarise(slope, arms, table));
    if (slope == statistics.control) continue;
    statistics.comparisons.push_back(compare(slope, scores, table.at(statistics.control), options));
  }
  correct_for_multiplicity(statistics.comparisons, table, statistics.control, options.alpha);
  const auto complete = complete_scores(table, statistics.seeds);
  statistics.complete_seeds = static_cast<std::int64_t>(complete.seeds);
  if (complete.seeds >= 2) set_probabilities(statistics.slopes, complete, options.resampling);
  statistics.pairing_correlation = mean_pairing_correlation(statistics.comparisons);
  statistics.rank_stability = mean_kendall_tau(complete);
  statistics.seed_variance = pooled_seed_variance(statistics.slopes);
  statistics.metric_variance = variance_of_metric(arms, table);
  return statistics;
}

RulerComparison compare_rulers(const std::vector<ArmScore>& arms, const RulerScores& other) {
  RulerComparison comparison{other.metric, {}, {}};
  std::map<double, RulerSlope> sums;
  for (std::size_t i = 0; i < arms.size(); ++i) {
    const auto first = arms[i].fd, second = other.fds.at(i);
    if (arms[i].condition != 0) continue;
    if (!first || !second || !std::isfinite(*first) || !std::isfinite(*second)) continue;
    auto& slope = sums[arms[i].negative_slope];
    ++slope.arms;
    slope.mean_fd += *first;
    slope.other_mean_fd += *second;
  }
  std::vector<double> means, other_means;
  for (auto& [negative_slope, slope] : sums) {
    slope.negative_slope = negative_slope;
    means.push_back(slope.mean_fd /= static_cast<double>(slope.arms));
    other_means.push_back(slope.other_mean_fd /= static_cast<double>(slope.arms));
    comparison.slopes.push_back(slope);
  }
  comparison.kendall_tau = kendall_tau(means, other_means);
  return comparison;
}

}  // namespace slopegan
