#include "sheets/score_labels.h"

#include <algorithm>
#include <filesystem>

#include "sheets/sheet_parts.h"
#include "statistics/race_text.h"
#include "statistics/recommendation.h"
#include "statistics/statistics_text.h"
#include "support/text.h"
#include "sweep/fixed_plan.h"
#include "sweep/race.h"
#include "sweep/results.h"

namespace slopegan {

namespace {

/// Replaces "+/-" with "±", because texts from statistics/ are ASCII only.
std::string typeset(std::string text) {
  for (auto at = text.find("+/-"); at != std::string::npos; at = text.find("+/-", at)) text.replace(at, 3, "±");
  return text;
}

/// The slopes that the statistics recommend; empty if they recommend none for one of the conditions, or if a race is
/// not over or lacks race.json: the test of a fixed sweep does not hold for a race. `planned`: the statistics of each
/// condition over the planned seeds, for a fixed sweep.
std::set<ScoreLabels::Key> recommended_by(const Config& config, const std::filesystem::path& sweep_dir,
                                          const std::vector<SweepStatistics>& planned) {
  std::vector<Findings> conditions;
  if (config.sweep.design == SweepDesign::race) {
    const auto race = read_race(sweep_dir);
    if (race && race->state.is_over) conditions.push_back(findings_of(*race));
  } else {
    for (const auto& statistics : planned) conditions.push_back(findings_of(statistics));
  }
  std::set<ScoreLabels::Key> recommended;
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    const auto slopes = recommended_slopes(conditions[i]);
    if (slopes.empty()) return {};
    for (const double slope : slopes) recommended.emplace(i, slope);
  }
  return recommended;
}

/// The slope with the lowest mean FD in each condition, if more than one slope has a mean FD. The printed answer names
/// the same slope.
std::set<ScoreLabels::Key> lowest_means(const std::vector<SweepStatistics>& conditions) {
  std::set<ScoreLabels::Key> lowest;
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    const auto scored =
        std::ranges::count_if(conditions[i].slopes, [](const auto& slope) { return slope.mean_fd.has_value(); });
    const Findings findings = findings_of(conditions[i]);
    const SlopeFinding* best = lowest_mean(findings);
    if (scored > 1 && best != nullptr) lowest.emplace(i, best->negative_slope);
  }
  return lowest;
}

}  // namespace

void ScoreLabels::add_to(SheetRow& row, const Arm& arm) const {
  add_detail(row, of(arm));
  row.best = best.contains({arm.condition, arm.negative_slope});
}

std::string ScoreLabels::explain(const std::string& caption) const {
  return legend.empty() ? caption : caption + "\n" + legend;
}

ScoreLabels score_labels(const Config& config, const std::vector<Arm>& arms) {
  ScoreLabels labels;
  if (arms.empty()) return labels;
  const auto sweep_dir = arms.front().directory.parent_path().parent_path();
  const auto plan = read_fixed_plan(sweep_dir);
  const SweepScores scores = read_scores(config, arms, plan);
  const auto conditions = condition_statistics(evaluate_sweep(config, scores));
  std::size_t seeds = 0;
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    seeds = std::max(seeds, conditions[i].seeds.size());
    for (const auto& summary : conditions[i].slopes) {
      labels.slopes[{i, summary.negative_slope}] = typeset(score_text(summary));
    }
  }
  if (!scores.metric) return labels;
  if (scores.metric->floor) labels.floor = "FD of test images " + score_number(*scores.metric->floor);
  labels.legend =
      format_text("FD: Fréchet distance of {} generated images, lower is better{}.", grouped(scores.metric->samples),
                  seeds > 1 ? ", mean ± standard deviation over seeds" : "");
  labels.best =
      recommended_by(config, sweep_dir, plan ? condition_statistics(evaluate_sweep(config, scores, plan)) : conditions);
  const bool is_recommended = !labels.best.empty();
  if (!is_recommended) labels.best = lowest_means(conditions);
  if (labels.best.empty()) return labels;
  labels.legend += std::string(" ") + best_mark +
                   (is_recommended ? " recommended by the statistics."
                    : seeds > 1    ? " lowest mean FD."
                                   : " lowest FD.");
  return labels;
}

}  // namespace slopegan
