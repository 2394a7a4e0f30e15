#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "run/checkpoint.h"

/// Writes images from a trained generator as files for other programs.
namespace slopegan {

struct GenerateOptions {
  /// A directory for PNG files, an .npz file (arr_0: uint8 [N, H, W, C], RGB, as np.savez writes it), a .png file for
  /// one image, or, for a walk, a .gif file. Missing parent directories are created. A path that ends with a slash is a
  /// directory.
  std::filesystem::path out;
  std::int64_t count = 0;              ///< the number of images or, for a walk, the number of latents that it visits
  std::optional<std::int64_t> seed{};  ///< the seed for the latents; by default, the run's seed
  std::int64_t walk_steps = 0;         ///< frames from each latent to the next; 0 means no walk
  bool overwrite = false;              ///< whether existing files at `out` may be replaced
};

/// Writes the images. Only one batch is in memory at a time, regardless of the number of images. Without a walk, each
/// image depends only on the checkpoint, the seed and its index. If `out` is a directory, a walk writes its frames and
/// walk.gif. No other files are written. Throws UsageError if `out` is unsuitable or if existing files may not be
/// replaced. Also throws CheckpointError, IoError and StoppedError.
void generate_files(const Checkpoint& checkpoint, const GenerateOptions& options);

}  // namespace slopegan
