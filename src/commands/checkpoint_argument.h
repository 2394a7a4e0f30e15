#pragma once

#include <filesystem>

#include "run/checkpoint.h"

namespace slopegan {

/// The checkpoint that RUN|CHECKPOINT stands for: a run's newest that is whole, with a warning in the log for each one
/// passed over, or the very one that was named. Throws CheckpointError.
Checkpoint find_checkpoint(const std::filesystem::path& path);

}  // namespace slopegan
