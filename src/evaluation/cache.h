#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "run/safetensors.h"

/// A cache for everything that is computed once from the real data and used by all runs, such as the trained classifier
/// and the features of the real images. Entries are keyed by content hashes, so they are never stale. Do not delete the
/// cache while a sweep is unfinished, even if the sweep is stopped: a classifier that is trained again on different
/// hardware has different rounding errors, and therefore a different name.
namespace slopegan {

/// Returns the SHA-256 hash of the names, dtypes, shapes and values of the tensors.
std::string tensor_hash(const NamedTensors& tensors);

/// Returns the content of the file `name` (such as "features/0a1b.safetensors") in cache_dir() if it is intact,
/// otherwise stores and returns the result of make(). Processes that need the same entry wait for the process that
/// computes it. If the cache is not writable, a warning is logged and the result is not stored. `source` is the file or
/// directory from which the entry is made; `slopegan data --cache` shows it.
Safetensors cached_tensors(const std::string& name, const std::filesystem::path& source,
                           const std::function<Safetensors()>& make);

}  // namespace slopegan
