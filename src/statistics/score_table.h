#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "statistics/statistics.h"

/// The scores of a sweep's arms by slope and seed: log FD, or +∞ for an arm that came to nothing.
namespace slopegan {

using ScoresBySeed = std::map<std::int64_t, double>;

/// Of the known arms. A slope without any is there, empty.
using ScoreTable = std::map<double, ScoresBySeed>;

/// Throws std::invalid_argument for no arms, or two of one slope and seed.
ScoreTable score_table(const std::vector<ArmScore>& arms);

struct PairedScores {
  /// Slope less control, of the seeds in which both are known: ±∞ where one came to nothing, 0 where both did.
  std::vector<double> differences;
  /// Of the seeds in which both are scored.
  std::vector<double> slope, control, finite_differences;
};

PairedScores paired_scores(const ScoresBySeed& slope, const ScoresBySeed& control);

/// Of the seeds in which every slope that is known at all is known.
struct CompleteScores {
  std::vector<double> slopes;
  std::vector<std::vector<double>> scores;  ///< [slope][seed]
  std::size_t seeds = 0;
};

CompleteScores complete_scores(const ScoreTable& table, const std::vector<std::int64_t>& seeds);

}  // namespace slopegan
