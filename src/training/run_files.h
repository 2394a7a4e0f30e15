#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "data/dataset.h"
#include "models/compute.h"
#include "run/checkpoint.h"
#include "run/run_directory.h"
#include "run/run_info.h"
#include "run/run_logs.h"
#include "training/trainer.h"

/// The files of a run directory apart from the results of training, and how resuming restores them.
namespace slopegan {

/// Describes the run at its start, for run.json.
RunInfo describe_run(const Compute& compute, const Dataset& dataset, const std::optional<Checkpoint>& resume,
                     const RunOrigin& origin);

/// Writes config.yaml and overrides.yaml and creates the subdirectories. Throws IoError.
void write_configuration(const Config& config, const RunDirectory& directory, const RunOrigin& origin);

/// Does the same as write_configuration and also writes reals.png. Throws IoError.
void write_run_files(const Config& config, const Dataset& dataset, const RunDirectory& directory,
                     const RunOrigin& origin);

/// The values that determine the weights and differ between `config` and the configuration of `checkpoint`, as "key:
/// before -> after"; also the images if they differ. Keys that do not affect the weights are left out (names, lengths,
/// samples, threads).
std::vector<std::string> training_differences(const Config& config, const Dataset& dataset,
                                              const Checkpoint& checkpoint);

/// Like training_differences, but for the configurations alone.
std::vector<std::string> training_differences(const Config& before, const Config& after);

/// Throws a CheckpointError that lists the training_differences, if there are any.
void check_resumable(const Config& config, const Dataset& dataset, const Checkpoint& checkpoint);

/// Whether the checkpoint belongs to this run.
bool belongs_to(const Checkpoint& checkpoint, const RunDirectory& directory);

/// Restores the files of the run to their state at `checkpoint`: truncates the logs, removes later checkpoints and
/// samples. If the checkpoint belongs to another run, the logs of this run start empty. Throws IoError, before anything
/// is changed, if a log is shorter than it was at the checkpoint.
void rewind_to(const Checkpoint& checkpoint, const RunDirectory& directory, RunLogs& logs);

}  // namespace slopegan
