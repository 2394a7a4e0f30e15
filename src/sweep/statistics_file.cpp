#include "sweep/statistics_file.h"

#include "run/json_text.h"
#include "run/metrics_log.h"
#include "statistics/statistics_text.h"
#include "support/files.h"
#include "support/text.h"

namespace slopegan {

using nlohmann::ordered_json;

namespace {

ordered_json optional_json(const std::optional<double>& value) { return value ? ordered_json(*value) : ordered_json(); }

ordered_json optional_json(const std::optional<Interval>& interval) {
  return interval ? ordered_json({interval->low, interval->high}) : ordered_json();
}

ordered_json slope_json(const SlopeSummary& summary) {
  return {{"negative_slope", summary.negative_slope},
          {"scored", summary.scored},
          {"diverged", summary.diverged},
          {"collapsed", summary.collapsed},
          {"missing", summary.missing},
          {"mean_fd", optional_json(summary.mean_fd)},
          {"fd_deviation", optional_json(summary.fd_deviation)},
          {"seed_variance", optional_json(summary.seed_variance)},
          {"metric_variance", optional_json(summary.metric_variance)},
          {"probability_best", optional_json(summary.probability_best)}};
}

ordered_json comparison_json(const Comparison& comparison, double alpha) {
  return {{"negative_slope", comparison.negative_slope},
          {"pairs", comparison.pairs},
          {"lost", comparison.lost},
          {"control_lost", comparison.control_lost},
          {"wins", comparison.wins},
          {"median_ratio", optional_json(comparison.median_ratio)},
          {"median_ratio_interval", optional_json(comparison.median_ratio_interval)},
          {"mean_log_ratio", optional_json(comparison.mean_log_ratio)},
          {"simultaneous_interval", optional_json(comparison.simultaneous_interval)},
          {"p", optional_json(comparison.p)},
          {"p_holm", optional_json(comparison.p_holm)},
          {"smallest_p_holm", comparison.smallest_p_holm},
          {"can_be_significant", comparison.can_be_significant(alpha)},
          {"significant", comparison.is_significant(alpha)},
          {"pairing_correlation", optional_json(comparison.pairing_correlation)}};
}

ordered_json measured_json(const SweepScores& scores) {
  if (scores.extractor.empty()) return {};
  MetricsRecord record;
  record.extractor = scores.extractor;
  record.samples = scores.samples;
  return {{"name", metric_title("fd", record)},
          {"extractor", scores.extractor},
          {"samples", scores.samples},
          {"images", scores.images},
          {"floor", optional_json(scores.fd_floor)},
          {"bias", optional_json(scores.fd_bias)}};
}

ordered_json methods_json(const SweepStatistics& statistics) {
  return {{"p", "paired sign-flip permutation test on differences of log FD, two-sided"},
          {"p_holm", "Holm's correction over the slopes"},
          {"median_ratio_interval",
           format_text("percentile bootstrap over seeds, {} resamples, {:g} %, too short for few seeds",
                       statistics.resamples, 100 * (1 - statistics.alpha))},
          {"simultaneous_interval",
           format_text("sign-flip test inverted (means of all subsets of seeds), {:g} % for all slopes together",
                       100 * (1 - statistics.alpha))},
          {"probability_best",
           format_text("lowest mean log FD in {} bootstrap resamples of the complete seeds", statistics.resamples)},
          {"seed_variance", "of log FD between seeds"},
          {"metric_variance", "of log FD between sets of images of one generator"},
          {"rank_stability", "mean Kendall tau-b between seeds"}};
}

}  // namespace

std::string statistics_json(const SweepStatistics& statistics, const SweepScores& scores) {
  ordered_json json;
  json["answer"] = answer(statistics);
  json["notes"] = statistics_notes(statistics, scores);
  json["metric"] = measured_json(scores);
  json["alpha"] = statistics.alpha;
  json["wanted_control"] = statistics.wanted_control;
  json["control"] = statistics.control;
  json["seeds"] = statistics.seeds;
  json["complete_seeds"] = statistics.complete_seeds;
  json["slopes"] = ordered_json::array();
  for (const auto& slope : statistics.slopes) json["slopes"].push_back(slope_json(slope));
  json["comparisons"] = ordered_json::array();
  for (const auto& comparison : statistics.comparisons) {
    json["comparisons"].push_back(comparison_json(comparison, statistics.alpha));
  }
  json["missing"] = ordered_json::array();
  for (const auto& [slope, seed] : statistics.missing) {
    json["missing"].push_back({{"negative_slope", slope}, {"seed", seed}});
  }
  json["pairing_correlation"] = optional_json(statistics.pairing_correlation);
  json["rank_stability"] = optional_json(statistics.rank_stability);
  json["seed_variance"] = optional_json(statistics.seed_variance);
  json["metric_variance"] = optional_json(statistics.metric_variance);
  json["methods"] = methods_json(statistics);
  return json_text(json, 2) + "\n";
}

SweepAnswer write_statistics(const Config& config, const std::filesystem::path& sweep_dir,
                             const std::vector<Arm>& arms) {
  const SweepScores scores = read_scores(config, arms);
  const SweepStatistics statistics = sweep_statistics(scores.arms, config.sweep.control);
  write_file_atomic(sweep_dir / "statistics.json", statistics_json(statistics, scores));
  return {answer(statistics), statistics_notes(statistics, scores)};
}

}  // namespace slopegan
