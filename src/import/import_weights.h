#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/config.h"
#include "data/dataset.h"
#include "run/checkpoint.h"
#include "training/trainer.h"

/// Starts runs with weights from other runs or other programs.
namespace slopegan {

/// Returns a checkpoint for fine-tuning, from which a run with `config` on `dataset` starts at 0 images with the
/// weights of `checkpoint` and, if `with_optimizer` is true, the moments of its optimisers. The result has the same
/// directory as `checkpoint`. Throws CheckpointError if the weights do not fit or are not finite, or if the moments are
/// missing.
Checkpoint fine_tuning_start(const Config& config, const Dataset& dataset, const Checkpoint& checkpoint,
                             bool with_optimizer);

/// Returns a message for each network whose slope followed a schedule in the run of `checkpoint`, if a new run with
/// `config` starts with a different slope from the one reached at `checkpoint`. Schedules count images from the start
/// of a run. Throws CheckpointError if the configuration of `checkpoint` cannot be read.
std::vector<std::string> restarted_schedules(const Config& config, const Checkpoint& checkpoint);

/// Creates run.output_dir/run.name, a run that has seen 0 images, from networks that were trained elsewhere. Its
/// checkpoint can be sampled, exported and trained like any other. Returns the directory of the run.
///
/// `weights` is a checkpoint, a run (its latest checkpoint), or a safetensors file with names that
/// import/weight_names.h recognises. If `weights` has no discriminator, the discriminator is randomly initialised.
/// The configuration sets everything that is not a weight, such as fixed slopes. The log lists the differences between
/// the configuration and that of the run that the weights come from (for an export, only its slopes), and the schedules
/// that start again (restarted_schedules).
///
/// Throws CheckpointError, before anything is written, if the weights cannot be read or do not fit; UsageError if the
/// directory exists; IoError if writing fails.
std::filesystem::path import_weights(const Config& config, const std::filesystem::path& weights,
                                     const RunOrigin& origin);

}  // namespace slopegan
