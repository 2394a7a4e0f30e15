#pragma once

#include <filesystem>

#include "config/config.h"
#include "training/trainer.h"

namespace slopegan {

/// Creates run.output_dir/run.name, a run that has seen 0 images, from networks that were trained elsewhere, with a
/// checkpoint that can be sampled, exported and trained like any other. Returns the directory of the run.
///
/// `weights` is a safetensors file with the tensors of the generator and, optionally, of the discriminator, under the
/// names and with the dtypes of a checkpoint (generator.block0.conv.weight, ...). Without a discriminator, a freshly
/// initialised one is used. The averaged generator starts as a copy of the generator.
///
/// Throws CheckpointError if the tensors do not fit `config` or are not finite, before anything is written; UsageError
/// if the directory exists; IoError.
std::filesystem::path import_weights(const Config& config, const std::filesystem::path& weights,
                                     const RunOrigin& origin);

}  // namespace slopegan
