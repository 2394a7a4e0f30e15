#pragma once

#include <filesystem>

#include "config/config.h"
#include "training/trainer.h"

namespace slopegan {

/// Makes a run of 0 images at run.output_dir/run.name of networks that were trained elsewhere, with a checkpoint that
/// generates, is exported and can be trained on as any other. `weights` is a safetensors file with the
/// generator's tensors and, or else it begins anew, the discriminator's, under the names and with the dtypes that they
/// have in a checkpoint (generator.block0.conv.weight, ...). The averaged generator begins as the generator. Returns
/// the run's directory. Throws CheckpointError where the tensors do not fit `config` or are not finite, before anything
/// is written; UsageError where the directory is there already, and IoError.
std::filesystem::path import_weights(const Config& config, const std::filesystem::path& weights,
                                     const RunOrigin& origin);

}  // namespace slopegan
