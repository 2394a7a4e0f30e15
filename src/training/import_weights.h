#pragma once

#include <filesystem>

#include "config/config.h"
#include "data/dataset.h"
#include "training/gan_state.h"
#include "training/trainer.h"

/// Weights of other runs and programs as the start of a run.
namespace slopegan {

/// The state of a run of `config` that has seen 0 images and has these weights, which have the names of a checkpoint.
/// Without a discriminator, a freshly initialised one is used; without an average, it starts as a copy of the
/// generator, and the generator as a copy of the average. The moments of the optimisers are taken over if
/// `with_optimizer`.
///
/// Throws CheckpointError, which names `source`, the configuration keys that differ and the first tensors, if the
/// weights do not fit or are not finite.
GanState transfer_weights(const Config& config, std::int64_t channels, const NamedTensors& weights, bool with_optimizer,
                          const std::string& source);

/// A checkpoint with 0 images of a run of `config` on `dataset` with the weights of `checkpoint`, for fine-tuning. Its
/// directory is that of `checkpoint`. Throws as transfer_weights does.
Checkpoint fine_tuning_start(const Config& config, const Dataset& dataset, const Checkpoint& checkpoint,
                             bool with_optimizer);

/// Creates run.output_dir/run.name, a run that has seen 0 images, from networks that were trained elsewhere, with a
/// checkpoint that can be sampled, exported and trained like any other. Returns the directory of the run.
///
/// `weights` is a checkpoint, a run (its latest checkpoint), or a safetensors file with the names of
/// training/weight_names.h. The rest is as in transfer_weights.
///
/// Throws CheckpointError before anything is written; UsageError if the directory exists; IoError.
std::filesystem::path import_weights(const Config& config, const std::filesystem::path& weights,
                                     const RunOrigin& origin);

}  // namespace slopegan
