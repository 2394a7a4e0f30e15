#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "statistics/statistics.h"
#include "sweep/arms.h"

namespace slopegan {

/// FDs compare only where extractor, samples and images of training are equal: arms that differ from most count as
/// missing, and a note says so. Arms whose files cannot be read are missing too, with a warning.
SweepScores read_scores(const Config& config, const std::vector<Arm>& arms);

}  // namespace slopegan
