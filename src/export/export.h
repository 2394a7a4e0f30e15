#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "run/checkpoint.h"

/// The generator of a checkpoint as a file for inference in other programs.
namespace slopegan {

struct ExportOptions {
  std::string format;  ///< as export_format_names() has them
  std::filesystem::path out;
  /// A safetensors file with "latents" [64, latent_dim], those of `generate`, and what is made of them here: "images"
  /// of LibTorch's own operators, and "slopegan_images" of this program's layers. All float32.
  std::optional<std::filesystem::path> reference{};
  bool fold_batch_norm = false;
  bool overwrite = false;  ///< what stands at `out` and `reference` already may be replaced
};

/// The most that a pixel in [−1, 1] of the exported generator may differ from LibTorch's operators, and these from this
/// program's layers, which sum up in another order.
inline constexpr double export_tolerance = 1e-5;

/// Writes the averaged generator in evaluation mode: float32 latents [N, latent_dim] -> images [N, channels,
/// resolution, resolution] in [−1, 1]. The file takes its place at `out` only after it was read back, run, and gave the
/// generator's images within export_tolerance. Returns the largest difference of a pixel. Throws UsageError, IoError,
/// CheckpointError where the generator's images are not finite or depend too much on how float32 rounds, and
/// StoppedError.
double export_generator(const Checkpoint& checkpoint, const ExportOptions& options);

}  // namespace slopegan
