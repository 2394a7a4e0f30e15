#include "sweep/sweep_scores.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "support/text.h"

namespace slopegan {

namespace {

/// What has to be equal for FDs to be compared.
using Conditions = std::tuple<std::string, std::int64_t, std::int64_t>;

Conditions conditions_of(const MetricsRecord& record) { return {record.extractor, record.samples, record.images}; }

/// Whether the last look at the arm raised the alarm.
bool has_collapsed(const Arm& arm) {
  const auto record = last_diagnostics(arm);
  return record && std::count(record->sentinels.begin(), record->sentinels.end(), "collapse") > 0;
}

ArmOutcome outcome_of(const Arm& arm, const Config& config) {
  const ArmState state = read_arm_state(arm);
  if (state.status == RunStatus::diverged) return ArmOutcome::diverged;
  if (state.status == RunStatus::failed) return ArmOutcome::failed;
  if (!is_over(state, config)) return ArmOutcome::pending;
  return has_collapsed(arm) ? ArmOutcome::collapsed : ArmOutcome::done;
}

/// The metrics of each arm's end; nothing for one that has not ended or has none of its end.
std::vector<std::optional<MetricsRecord>> final_metrics(const std::vector<Arm>& arms,
                                                        const std::vector<ArmScore>& scores, const Config& config) {
  std::vector<std::optional<MetricsRecord>> metrics;
  for (std::size_t i = 0; i < arms.size(); ++i) {
    auto record = scores[i].outcome == ArmOutcome::done ? last_metrics(arms[i]) : std::nullopt;
    const bool usable = record && record->values.contains("fd") && record->images >= config.training.total_images;
    metrics.push_back(usable ? std::move(record) : std::nullopt);
  }
  return metrics;
}

/// Those of most arms; of equally many the first in order.
std::optional<Conditions> usual_conditions(const std::vector<std::optional<MetricsRecord>>& metrics) {
  std::map<Conditions, int> counts;
  for (const auto& record : metrics) {
    if (record) ++counts[conditions_of(*record)];
  }
  const auto most =
      std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == counts.end() ? std::nullopt : std::optional(most->first);
}

}  // namespace

SweepScores read_scores(const Config& config, const std::vector<Arm>& arms) {
  SweepScores scores;
  for (const auto& arm : arms) {
    scores.arms.push_back({arm.negative_slope, arm.seed, outcome_of(arm, config), {}, {}});
  }
  const auto metrics = final_metrics(arms, scores.arms, config);
  const auto usual = usual_conditions(metrics);
  if (!usual) return scores;
  std::tie(scores.extractor, scores.samples, scores.images) = *usual;
  int others = 0;
  for (std::size_t i = 0; i < arms.size(); ++i) {
    if (!metrics[i]) continue;
    if (conditions_of(*metrics[i]) != *usual) {
      ++others;
      continue;
    }
    scores.arms[i].fd = metrics[i]->values.at("fd");
    scores.arms[i].fd_repeat = metrics[i]->fd_repeat;
    if (metrics[i]->fd_bias) scores.fd_bias = metrics[i]->fd_bias;
    if (const auto floor = metrics[i]->floors.find("fd"); floor != metrics[i]->floors.end()) {
      scores.fd_floor = floor->second;
    }
  }
  if (others > 0) {
    scores.notes.push_back(
        format_text("{} of the arms were scored with another extractor, number of samples or images of "
                    "training than most, which does not compare; they count as missing.",
                    others));
  }
  return scores;
}

}  // namespace slopegan
