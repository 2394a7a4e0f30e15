#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "export/network.h"
#include "run/checkpoint.h"

/// Exports the generator of a checkpoint to a file for inference in other programs.
namespace slopegan {

struct ExportOptions {
  std::string format;  ///< one of export_format_names()
  std::filesystem::path out;
  /// A safetensors file with "latents" [64, latent_dim], from which `generate` computes its first 64 images by default,
  /// and the images computed from them: "images" by LibTorch's own operators, "slopegan_images" by this program's
  /// layers. All are float32.
  std::optional<std::filesystem::path> reference{};
  bool fold_batch_norm = false;
  bool overwrite = false;  ///< allows replacing existing files at `out` and `reference`
};

/// The largest allowed difference between pixels in [−1, 1]. It applies to the exported generator compared with
/// LibTorch's operators, and to LibTorch's operators compared with this program's layers, which compute sums in a
/// different order.
inline constexpr double export_tolerance = 1e-5;

/// Writes the averaged generator in evaluation mode: float32 latents [N, latent_dim] -> images [N, channels,
/// resolution, resolution] in [−1, 1]. The file is renamed to `out` only after it has been read back and run, and only
/// if its images match those of LibTorch's operators within export_tolerance. Returns the largest pixel difference from
/// the images of LibTorch's operators and of this program's layers. Throws UsageError, IoError and StoppedError, and
/// CheckpointError if the generator's images are not finite or depend too much on float32 rounding.
double export_generator(const Checkpoint& checkpoint, const ExportOptions& options);

// --- Formats --------------------------------------------------------------------------------------------------------

/// A file format for generators.
struct ExportFormat {
  const char* name;
  /// Writes the network to a new file. Throws IoError, and UsageError if the format cannot represent the network.
  void (*write)(const ExportedNetwork& network, const std::filesystem::path& file);
  /// Runs the network in a file, using nothing but the file: latents [N, latent_dim] -> images. Throws std::exception
  /// if the file cannot be read.
  at::Tensor (*run)(const std::filesystem::path& file, const at::Tensor& latents);
};

extern const ExportFormat onnx_format, torchscript_format, safetensors_format;

/// The names of all formats, for --format.
std::vector<std::string> export_format_names();

/// The format with this name. Throws UsageError if the name is unknown.
const ExportFormat& export_format(const std::string& name);

/// Writes `bytes` to a new file. Throws IoError.
void write_new_file(const std::filesystem::path& file, std::string_view bytes);

}  // namespace slopegan
