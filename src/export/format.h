#pragma once

#include <filesystem>
#include <vector>

#include "export/network.h"

namespace slopegan {

/// A file format that a generator can be exported to.
struct ExportFormat {
  const char* name;
  /// Writes the network into a new file. Throws IoError, and UsageError where the format cannot hold it.
  void (*write)(const ExportedNetwork& network, const std::filesystem::path& file);
  /// Runs what is in the file, from its bytes alone: latents [N, latent_dim] -> images. Any exception where it cannot
  /// be read.
  at::Tensor (*run)(const std::filesystem::path& file, const at::Tensor& latents);
};

/// <name>_format.cpp each.
extern const ExportFormat onnx_format, torchscript_format, safetensors_format;

/// Their names for --format.
std::vector<std::string> export_format_names();

/// Throws UsageError for a name that is none.
const ExportFormat& export_format(const std::string& name);

/// Writes `bytes` into a new file. Throws IoError.
void write_new_file(const std::filesystem::path& file, std::string_view bytes);

}  // namespace slopegan
