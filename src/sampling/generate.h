#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "run/checkpoint.h"

/// Images of a trained generator as files for other programs.
namespace slopegan {

struct GenerateOptions {
  /// A directory for PNG files, or a file that ends in .npz (arr_0: uint8 [N, H, W, C], RGB, as np.savez writes it), or
  /// with a walk in .gif.
  std::filesystem::path out;
  std::int64_t count = 0;              ///< images; of a walk: the latents that it goes through
  std::optional<std::int64_t> seed{};  ///< of the latents; the run's own by default
  std::int64_t walk_steps = 0;         ///< frames from each latent to the next; 0: no walk
  bool overwrite = false;              ///< what stands at `out` already may be replaced
};

/// Writes the images, however many, with the memory of a batch: the same seed gives the same ones, whatever their
/// number. A walk into a directory gives its frames and walk.gif. Reads the checkpoint alone, and nothing is written
/// but `out`. Throws UsageError where something is there already and may not be replaced, IoError, StoppedError.
void generate_files(const Checkpoint& checkpoint, const GenerateOptions& options);

}  // namespace slopegan
