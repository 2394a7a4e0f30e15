#pragma once

#include <filesystem>
#include <string>

#include "experiments/statistics.h"
#include "experiments/sweep_scores.h"

namespace slopegan {

/// statistics.json: everything of `statistics` with the answer in plain words and what the scores were measured with.
/// What is unknown or without limit is null.
std::string statistics_json(const SweepStatistics& statistics, const SweepScores& scores);

/// Reads the scores of the sweep's arms and replaces <sweep>/statistics.json. Returns the answer in one sentence.
/// Throws IoError.
std::string write_statistics(const Config& config, const std::filesystem::path& sweep_dir,
                             const std::vector<Arm>& arms);

}  // namespace slopegan
