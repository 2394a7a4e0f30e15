#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "data/dataset.h"
#include "distributed/distributed.h"
#include "models/compute.h"
#include "run/checkpoint.h"
#include "run/run_directory.h"
#include "run/run_info.h"

namespace slopegan {

/// How a run came to be, for its run.json and overrides.yaml.
struct RunOrigin {
  std::vector<std::string> argv;
  std::vector<std::string> overrides;  ///< key=value, as given
  Versions versions;
};

enum class TrainEnd { done, stopped };

/// Trains to config.training.total_images and writes everything that a run leaves behind into `directory`; goes on from
/// `resume` where there is one, bit for bit as if it had never stopped (same binary, dtype and threads, on the CPU).
/// Ends early, after a checkpoint, when a signal asks to stop. `ranks`: those that train together, of which this is the
/// first; the others follow.
/// Throws DivergedError, CheckpointError (a checkpoint that does not fit the configuration), DataError, IoError;
/// run.json tells the ending.
TrainEnd train(const Config& config, const Compute& compute, const Dataset& dataset, const RunDirectory& directory,
               const std::optional<Checkpoint>& resume, const RunOrigin& origin, Ranks* ranks = nullptr);

}  // namespace slopegan
