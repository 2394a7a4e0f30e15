#pragma once

#include <filesystem>

#include "config/config.h"
#include "data/dataset.h"
#include "training/gan_state.h"
#include "training/trainer.h"

/// Starts runs with weights from other runs or other programs.
namespace slopegan {

/// Returns the state of a run with `config` that starts with `weights` and has seen 0 images. The names of the weights
/// must be those used in checkpoints. If the discriminator is missing, it is randomly initialised. If the generator or
/// its average (ema.*) is missing, it is copied from the other. The moments of the optimisers are copied if
/// `with_optimizer` is true.
///
/// Throws CheckpointError if the weights do not fit or are not finite. The message names `source`, the configuration
/// keys that differ and the first tensors that do not match.
GanState transfer_weights(const Config& config, std::int64_t channels, const NamedTensors& weights, bool with_optimizer,
                          const std::string& source);

/// Returns a checkpoint for fine-tuning, from which a run with `config` on `dataset` starts at 0 images with the
/// weights of `checkpoint`. Its directory is that of `checkpoint`. Throws the same exceptions as transfer_weights.
Checkpoint fine_tuning_start(const Config& config, const Dataset& dataset, const Checkpoint& checkpoint,
                             bool with_optimizer);

/// Creates run.output_dir/run.name, a run that has seen 0 images, from networks that were trained elsewhere. Its
/// checkpoint can be sampled, exported and trained like any other. Returns the directory of the run.
///
/// `weights` is a checkpoint, a run (its latest checkpoint), or a safetensors file with names that
/// training/weight_names.h recognises. If it has no discriminator, the discriminator is randomly initialised. The
/// configuration sets everything that is not a weight, such as fixed slopes. Differences from the configuration of the
/// run that the weights come from, or from the slopes in an export, are logged.
///
/// Throws CheckpointError, before anything is written, if the weights cannot be read or do not fit; UsageError if the
/// directory exists; IoError if writing fails.
std::filesystem::path import_weights(const Config& config, const std::filesystem::path& weights,
                                     const RunOrigin& origin);

}  // namespace slopegan
