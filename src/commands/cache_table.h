#pragma once

/// The implementation of `slopegan data --cache`.
namespace slopegan {

/// Prints the entries of the cache. With `prune`, removes the entries whose sources no longer exist and lists them.
/// Throws IoError.
void print_cache(bool prune);

}  // namespace slopegan
