#pragma once

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

/// Writes the files of a run directory that are not results of training, and rewinds a run directory to a checkpoint.
namespace slopegan {

/// Describes the run at its start, for run.json. If the run resumes in place, the time of its first start is kept. If
/// it resumes on another device or processor, in another precision or with another number of threads,
/// RunInfo::earlier_compute records how the earlier steps were computed. If no steps are left, run.json still describes
/// the machine that computed the last ones.
RunInfo describe_run(const Config& config, const Compute& compute, const Dataset& dataset,
                     const RunDirectory& directory, const std::optional<Checkpoint>& resume, const RunOrigin& origin);

/// Writes config.yaml and overrides.yaml and creates the subdirectories. Throws IoError.
void write_configuration(const Config& config, const RunDirectory& directory, const RunOrigin& origin);

/// Does the same as write_configuration and also writes reals.png. Throws IoError.
void write_run_files(const Config& config, const Dataset& dataset, const RunDirectory& directory,
                     const RunOrigin& origin);

/// Lists the keys that determine the weights and differ between `config` and the configuration of `checkpoint`, as
/// "key: before -> after", and the hashes of the images if they differ. Other keys, such as the name, the length of
/// training, samples and threads, are omitted. If the weights of `checkpoint` were imported, the data.* keys are also
/// omitted, except data.resolution and data.channels if they do not fit the shapes of the networks.
std::vector<std::string> training_differences(const Config& config, const Dataset& dataset,
                                              const Checkpoint& checkpoint);

/// Like training_differences, but for the configurations alone.
std::vector<std::string> training_differences(const Config& before, const Config& after);

/// Throws a CheckpointError that lists the training_differences, if there are any.
void check_resumable(const Config& config, const Dataset& dataset, const Checkpoint& checkpoint);

/// Whether the checkpoint belongs to the run in `directory`.
bool belongs_to(const Checkpoint& checkpoint, const RunDirectory& directory);

/// Whether training with `compute` measures its kernels (models/measured_kernels.h).
bool trains_with_measured_kernels(const Compute& compute);

/// The reasons why a run that resumes from `checkpoint` may differ from an uninterrupted run with the same
/// total_images: the last step before the checkpoint was shortened, the learning rates change, the kernels are chosen
/// in another way, or, according to the run.json of the checkpoint's run, the earlier steps were computed differently
/// or on another processor. Empty if it does not differ. Writing the result of describe_run to that file does not
/// change these reasons.
std::vector<std::string> inexact_reasons(const Config& config, const Compute& compute, const Checkpoint& checkpoint);

/// The log message for an existing run that starts again because it was interrupted before its first checkpoint; empty
/// if the run has seen no images. Throws CheckpointError if run.json shows that the run had checkpoints, because
/// starting again would destroy its results, or that the run was to start with other weights (imported, or from another
/// run).
std::string restart_note(const RunDirectory& directory);

/// Whether metrics.jsonl lacks the evaluation that was due at `checkpoint`, because the run was interrupted before it.
/// False if the checkpoint belongs to another run, or to one without a history (imported weights).
bool lacks_evaluation(const Checkpoint& checkpoint, const Config& config, const RunDirectory& directory);

/// Restores the files of the run in `directory` to their state at `checkpoint`: truncates the logs, and removes later
/// checkpoints and samples. If there is no checkpoint, or if it belongs to another run, the logs are emptied and all
/// samples are removed. If a log is shorter than it was at the checkpoint, throws IoError before changing anything.
void rewind_to(const std::optional<Checkpoint>& checkpoint, const RunDirectory& directory, RunLogs& logs);

}  // namespace slopegan
