#pragma once

#include "config/config.h"
#include "models/dcgan.h"
#include "run/checkpoint.h"

namespace slopegan {

/// A generator for inference: in evaluation mode, on the CPU, with the averaged weights if the run kept an average.
struct LoadedGenerator {
  Config config;
  Generator generator{nullptr};
  std::int64_t images = 0;  ///< the number of images seen in training
};

/// Loads the generator from a checkpoint. Throws CheckpointError if the tensors do not match the checkpoint's
/// configuration.
LoadedGenerator load_generator(const Checkpoint& checkpoint);

}  // namespace slopegan
