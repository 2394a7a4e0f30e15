#pragma once

#include <filesystem>

#include <torch/types.h>

#include "models/named_tensors.h"
#include "run/file_digest.h"
#include "run/safetensors_header.h"

/// The safetensors format: a JSON header and the raw bytes of the tensors. No code is ever run by reading one.
namespace slopegan {

/// Writes the tensors, of any device and memory format and of a dtype among float64, float32, float16, bfloat16, int64,
/// int32, int16, int8, uint8 and bool, as contiguous row-major data; the same tensors give the same bytes as the
/// reference library. An existing file is overwritten. On return the content is on the disk; the digest is that of what
/// was written. Throws IoError, and std::invalid_argument for a tensor that cannot be stored.
FileDigest write_safetensors(const std::filesystem::path& file, const NamedTensors& tensors,
                             const SafetensorsMetadata& metadata = {});

struct Safetensors {
  NamedTensors tensors;
  SafetensorsMetadata metadata;
};

/// Reads the tensors to the CPU, contiguous. Nothing is allocated before the whole header, of at most 8 MB, has been
/// checked against the file's size. Every failure is a CheckpointError that names the file and the reason.
Safetensors read_safetensors(const std::filesystem::path& file);

}  // namespace slopegan
