#pragma once

#include <optional>
#include <string>

#include "run/progress.h"
#include "run/records.h"
#include "training/run_metrics.h"

namespace slopegan {

/// The table that a run ends with, a figure a line: images, where the time went, speed, memory, the last step's losses,
/// the last evaluation and the best one, the checkpoint. `checkpoint` is the directory of the last one, printable.
std::string run_summary(const Progress& progress, const std::optional<MetricsRecord>& last_metrics,
                        const BestSoFar& best, const std::string& checkpoint);

}  // namespace slopegan
