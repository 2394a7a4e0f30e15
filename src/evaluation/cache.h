#pragma once

#include <functional>
#include <string>

#include "run/safetensors.h"

/// What is made once from the real data and serves every run: the trained classifier, the features of the real images.
/// Keyed by content hashes, so that nothing in it is ever stale; it may be deleted at any time but in the midst of a
/// sweep: a classifier that is trained again on other cores has other rounding, and another name.
namespace slopegan {

/// SHA-256 over names, dtypes, shapes and values.
std::string tensor_hash(const NamedTensors& tensors);

/// The file `name` (such as "features/0a1b.safetensors") in cache_dir() where it is whole, and otherwise what make()
/// returns, stored for the next time. Processes that want the same one at the same time wait for the one that makes it.
/// Where the cache cannot be written, a warning says so and nothing is lost but time.
Safetensors cached_tensors(const std::string& name, const std::function<Safetensors()>& make);

}  // namespace slopegan
