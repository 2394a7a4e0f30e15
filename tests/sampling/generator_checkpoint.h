#pragma once

#include "config/print.h"
#include "models/dcgan.h"
#include "models/named_tensors.h"
#include "run/checkpoint.h"

namespace slopegan::testing {

/// Returns a checkpoint after 64 images that contains only what a generator needs.
inline Checkpoint generator_checkpoint(const Config& config, std::int64_t channels = 1) {
  Checkpoint checkpoint;
  checkpoint.directory = "run/checkpoints/64";
  checkpoint.info.images = 64;
  checkpoint.info.config_yaml = to_yaml(config);
  Generator generator(config.generator, config.data.resolution, channels, /*seed=*/0);
  generator->initialise(config.init, 0);
  for (const auto& [name, tensor] : named_tensors(*generator)) {
    checkpoint.tensors.emplace("generator." + name, tensor.detach());
  }
  return checkpoint;
}

}  // namespace slopegan::testing
