#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "statistics/statistics.h"
#include "sweep/sweep_scores.h"

namespace slopegan {

/// statistics.json: everything of `statistics` with the answer in plain words and what the scores were measured with.
/// What is unknown or without limit is null.
std::string statistics_json(const SweepStatistics& statistics, const SweepScores& scores);

/// What a sweep says in words.
struct SweepAnswer {
  std::string sentence;
  std::vector<std::string> notes;
};

/// Reads the scores of the sweep's arms and replaces <sweep>/statistics.json. Throws IoError.
SweepAnswer write_statistics(const Config& config, const std::filesystem::path& sweep_dir,
                             const std::vector<Arm>& arms);

}  // namespace slopegan
