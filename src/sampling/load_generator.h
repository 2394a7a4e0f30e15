#pragma once

#include "config/config.h"
#include "models/dcgan.h"
#include "run/checkpoint.h"

namespace slopegan {

/// A generator to look at: in evaluation mode on the CPU, with the averaged weights where the run kept them.
struct LoadedGenerator {
  Config config;
  Generator generator{nullptr};
  std::int64_t images = 0;  ///< that the run had seen
};

/// Throws CheckpointError where the tensors do not fit the configuration that the checkpoint names.
LoadedGenerator load_generator(const Checkpoint& checkpoint);

}  // namespace slopegan
