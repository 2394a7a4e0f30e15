#pragma once

#include <cstdint>
#include <span>

/// Entry points for libFuzzer and the replay test. Each target reads the bytes as one kind of untrusted file. It aborts
/// the process if the reader throws anything other than its documented error, or if a property of the result does not
/// hold.
namespace slopegan::fuzz {

using Bytes = std::span<const std::uint8_t>;

void config_file(Bytes bytes);          ///< a configuration
void config_override(Bytes bytes);      ///< key=value arguments, one per line
void idx_file(Bytes bytes);             ///< images or labels, plain or gzipped
void npz_file(Bytes bytes);             ///< a NumPy archive
void npy_array(Bytes bytes);            ///< a NumPy array, which the target puts into a valid archive
void safetensors_file(Bytes bytes);     ///< the header of state.safetensors in a checkpoint
void checkpoint_manifest(Bytes bytes);  ///< manifest.json
void run_history(Bytes bytes);          ///< history.jsonl, metrics.jsonl and diagnostics.jsonl

}  // namespace slopegan::fuzz
