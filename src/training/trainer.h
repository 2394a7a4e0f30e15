#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "data/dataset.h"
#include "distributed/ranks.h"
#include "models/compute.h"
#include "run/checkpoint.h"
#include "run/run_directory.h"
#include "run/run_info.h"

namespace slopegan {

/// How a run was started, for run.json and overrides.yaml.
struct RunOrigin {
  std::vector<std::string> argv;
  std::vector<std::string> overrides;  ///< key=value, as given
  Versions versions;
  std::vector<std::string> notes{};  ///< logged at the start, to the console and to the run's log file
};

enum class TrainEnd { done, stopped };

/// Trains to config.training.total_images and writes all files of the run to `directory`. With `resume`, continues from
/// that checkpoint, or starts with the weights of another run (fine_tuning_start). On CPUs of the same model, a
/// resumed run is bit-identical to an uninterrupted one, given the same binary, dtype and number of threads. If a
/// signal asks the process to stop, writes a checkpoint and returns TrainEnd::stopped. If an evaluation is due at a
/// checkpoint but is missing, because the run was interrupted, a resumed run evaluates before it takes steps. `ranks`
/// are the ranks that train together: this process is the first rank, and the others run follow(). `ranks` is nullptr
/// for a single process.
///
/// Throws DivergedError, CheckpointError (if the checkpoint does not match the configuration), DataError, IoError,
/// StoppedError (if a signal arrives before the first step or, with `ranks`, during an evaluation) and, with `ranks`,
/// UsageError (see join_ranks). The status in run.json is also updated if an exception is thrown, unless a run cannot
/// continue from its own checkpoint: its files are then not changed.
TrainEnd train(const Config& config, const Compute& compute, const Dataset& dataset, const RunDirectory& directory,
               const std::optional<Checkpoint>& resume, const RunOrigin& origin, Ranks* ranks = nullptr);

/// Returns whether a multiple of `every` lies in (before, after]. Returns false if `every` is 0.
inline bool is_due(std::int64_t every, std::int64_t before, std::int64_t after) {
  return every > 0 && after / every > before / every;
}

}  // namespace slopegan
