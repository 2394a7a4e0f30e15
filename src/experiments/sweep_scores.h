#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "experiments/arms.h"
#include "experiments/statistics.h"

namespace slopegan {

/// The scores of a sweep's arms by the last lines of their metrics.jsonl and diagnostics.jsonl (an arm has collapsed
/// where that raises the alarm), and what they were measured with.
struct SweepScores {
  std::vector<ArmScore> arms;        ///< every arm of the sweep
  std::string extractor;             ///< name and hash; empty where no arm has a score
  std::int64_t samples = 0;          ///< generated images that were looked at
  std::int64_t images = 0;           ///< that the arms were trained with
  std::optional<double> fd_floor{};  ///< FD of real test images
  std::optional<double> fd_bias{};   ///< what FD of so many images is too high by, where that is known
  std::vector<std::string> notes{};  ///< what was left out, a sentence each
};

/// FDs compare only where extractor, samples and images of training are equal: arms that differ from most count as
/// missing, and a note says so. Arms whose files cannot be read are missing too, with a warning.
SweepScores read_scores(const Config& config, const std::vector<Arm>& arms);

}  // namespace slopegan
