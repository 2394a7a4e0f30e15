#include "statistics/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "statistics/paired_tests.h"
#include "statistics/score_table.h"

namespace slopegan {

namespace {

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

/// Mean of (log fd − log fd_repeat)² / 2 over the scored arms that have both.
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
  summary.scored = distances.size();
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
  comparison.pairs = paired.differences.size();
  if (comparison.pairs == 0) return comparison;
  const auto& differences = paired.differences;
  for (const double difference : differences) {
    comparison.lost += difference == std::numeric_limits<double>::infinity();
    comparison.control_lost += difference == -std::numeric_limits<double>::infinity();
    comparison.wins += difference < 0;
  }
  comparison.median_ratio = std::exp(median(differences));
  comparison.median_ratio_interval =
      ratios(bootstrap_median_interval(differences, 1 - options.alpha, options.resampling));
  if (!paired.finite_differences.empty()) comparison.mean_log_ratio = mean(paired.finite_differences);
  comparison.p = sign_flip_p(differences);
  const auto net_losses = static_cast<double>(comparison.lost) - static_cast<double>(comparison.control_lost);
  comparison.better = net_losses != 0 ? net_losses < 0 : comparison.mean_log_ratio.value_or(0) < 0;
  comparison.pairing_correlation = correlation(paired.slope, paired.control);
  return comparison;
}

/// What depends on how many comparisons there are; those without pairs are none.
void correct_for_number(std::vector<Comparison>& comparisons, const ScoreTable& table, double control, double alpha) {
  std::vector<Comparison*> family;
  std::vector<double> p, smallest;
  for (auto& comparison : comparisons) {
    if (comparison.pairs == 0) continue;
    family.push_back(&comparison);
    p.push_back(*comparison.p);
    smallest.push_back(smallest_sign_flip_p(comparison.pairs));
  }
  const auto adjusted = holm(p), smallest_adjusted = holm(smallest);
  for (std::size_t i = 0; i < family.size(); ++i) {
    Comparison& comparison = *family[i];
    comparison.p_holm = adjusted[i];
    comparison.smallest_p_holm = smallest_adjusted[i];
    const auto paired = paired_scores(table.at(comparison.negative_slope), table.at(control));
    comparison.simultaneous_interval =
        ratios(symmetric_centre_interval(paired.differences, 1 - alpha / static_cast<double>(family.size())));
  }
}

std::optional<double> mean_kendall_tau(const CompleteScores& complete) {
  const auto of_seed = [&](std::size_t seed) {
    std::vector<double> scores;
    for (const auto& slope : complete.scores) scores.push_back(slope[seed]);
    return scores;
  };
  std::vector<double> taus;
  for (std::size_t a = 0; a < complete.seeds; ++a) {
    for (std::size_t b = a + 1; b < complete.seeds; ++b) {
      if (const auto tau = kendall_tau(of_seed(a), of_seed(b))) taus.push_back(*tau);
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

}  // namespace

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
      statistics.missing.emplace_back(arm.negative_slope, arm.seed);
    }
  }
  statistics.seeds.assign(seeds.begin(), seeds.end());
  for (const auto& [slope, scores] : table) {
    statistics.slopes.push_back(summarise(slope, arms, table));
    if (slope == statistics.control) continue;
    statistics.comparisons.push_back(compare(slope, scores, table.at(statistics.control), options));
  }
  correct_for_number(statistics.comparisons, table, statistics.control, options.alpha);
  const auto complete = complete_scores(table, statistics.seeds);
  statistics.complete_seeds = complete.seeds;
  if (complete.seeds >= 2) {
    const auto best = probability_best(complete.scores, options.resampling);
    for (auto& summary : statistics.slopes) {
      const auto at = std::find(complete.slopes.begin(), complete.slopes.end(), summary.negative_slope);
      if (at != complete.slopes.end()) {
        summary.probability_best = best[static_cast<std::size_t>(at - complete.slopes.begin())];
      }
    }
  }
  statistics.pairing_correlation = mean_pairing_correlation(statistics.comparisons);
  statistics.rank_stability = mean_kendall_tau(complete);
  statistics.seed_variance = pooled_seed_variance(statistics.slopes);
  statistics.metric_variance = variance_of_metric(arms, table);
  return statistics;
}

}  // namespace slopegan
