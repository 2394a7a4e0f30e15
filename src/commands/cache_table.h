#pragma once

/// The implementation of `slopegan data --cache`.
namespace slopegan {

/// Prints the entries of the cache, and one line for each other directory in it, such as a data set. With `prune`,
/// removes the entries whose sources no longer exist and lists them. Throws IoError.
void print_cache(bool prune);

}  // namespace slopegan
