#pragma once

#include <filesystem>

#include <torch/types.h>

#include "models/named_tensors.h"
#include "run/safetensors_header.h"
#include "support/checksums.h"

/// The safetensors format: a JSON header followed by the raw bytes of the tensors. Reading a file never executes code.
namespace slopegan {

/// Writes tensors on any device and in any memory format as contiguous row-major data. Supported dtypes are float64,
/// float32, float16, bfloat16, int64, int32, int16, int8, uint8 and bool. Apart from the order of the metadata, the
/// file is byte-identical to one that the reference library writes. An existing file is overwritten. The content is on
/// the disk when the function returns. Returns the digest of the file. Throws IoError, and std::invalid_argument for a
/// tensor that cannot be stored.
FileDigest write_safetensors(const std::filesystem::path& file, const NamedTensors& tensors,
                             const SafetensorsMetadata& metadata = {});

struct Safetensors {
  NamedTensors tensors;
  SafetensorsMetadata metadata;
};

/// Reads all tensors into contiguous memory on the CPU. The header (at most 8 MB) is checked against the size of the
/// file before any memory is allocated for tensors. Throws a CheckpointError with the file and the reason on failure.
Safetensors read_safetensors(const std::filesystem::path& file);

}  // namespace slopegan
