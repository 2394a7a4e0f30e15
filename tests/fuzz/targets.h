#pragma once

#include <cstdint>
#include <span>

/// What libFuzzer and the replay test feed with bytes. Each target reads the bytes as one kind of file that somebody
/// else may have written. Anything but success or the reader's own error, and any promise of the reader that does not
/// hold, ends the process.
namespace slopegan::fuzz {

using Bytes = std::span<const std::uint8_t>;

void config_file(Bytes bytes);          ///< a configuration
void config_override(Bytes bytes);      ///< key=value arguments, one a line
void idx_file(Bytes bytes);             ///< images or labels, plain or gzipped
void npz_file(Bytes bytes);             ///< a NumPy archive
void npy_array(Bytes bytes);            ///< an array in such an archive, whose checksum is right
void safetensors_file(Bytes bytes);     ///< the state of a checkpoint, as far as it is read before tensors are made
void checkpoint_manifest(Bytes bytes);  ///< manifest.json
void run_history(Bytes bytes);          ///< history.jsonl, and the same as metrics.jsonl and diagnostics.jsonl

}  // namespace slopegan::fuzz
