#include "statistics/score_table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include "support/text.h"

namespace slopegan {

/// log FD, +∞ for an arm that came to nothing, no value for one that is missing.
static std::optional<double> log_score(const ArmScore& arm) {
  constexpr double came_to_nothing = std::numeric_limits<double>::infinity();
  if (arm.outcome == ArmOutcome::diverged || arm.outcome == ArmOutcome::collapsed) return came_to_nothing;
  if (arm.outcome != ArmOutcome::done || !arm.fd || *arm.fd <= 0) return std::nullopt;
  return std::isfinite(*arm.fd) ? std::log(*arm.fd) : came_to_nothing;
}

ScoreTable score_table(const std::vector<ArmScore>& arms) {
  if (arms.empty()) throw std::invalid_argument("sweep_statistics: no arms");
  ScoreTable table;
  std::set<std::pair<double, std::int64_t>> seen;
  for (const auto& arm : arms) {
    if (!seen.insert({arm.negative_slope, arm.seed}).second) {
      throw std::invalid_argument("sweep_statistics: two arms with slope " + shortest(arm.negative_slope) +
                                  " and seed " + std::to_string(arm.seed));
    }
    auto& scores = table[arm.negative_slope];
    if (const auto score = log_score(arm)) scores[arm.seed] = *score;
  }
  return table;
}

PairedScores paired_scores(const ScoresBySeed& slope, const ScoresBySeed& control) {
  PairedScores paired;
  for (const auto& [seed, score] : slope) {
    const auto found = control.find(seed);
    if (found == control.end()) continue;
    const double other = found->second;
    if (std::isinf(score) && std::isinf(other)) continue;  // two that came to nothing tell nothing about the slope
    paired.differences.push_back(score - other);
    if (!std::isfinite(score) || !std::isfinite(other)) continue;
    paired.slope.push_back(score);
    paired.control.push_back(other);
    paired.finite_differences.push_back(score - other);
  }
  return paired;
}

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

}  // namespace slopegan
