#pragma once

#include <cmath>
#include <filesystem>

#include <ATen/ATen.h>

#include "run/checkpoint.h"

namespace slopegan::testing {

/// Sets a weight in the run's newest checkpoint to NaN. The checkpoint remains valid, but a run that resumes from it
/// diverges immediately.
inline void poison_newest_checkpoint(const std::filesystem::path& run) {
  const auto directory = run / "checkpoints";
  const auto checkpoint = load_checkpoint(list_checkpoints(directory).front());
  checkpoint.tensors.at("generator.block1.conv.weight").view(-1)[0] = std::nan("");
  save_checkpoint(directory, checkpoint.info, checkpoint.tensors, 2);
}

}  // namespace slopegan::testing
