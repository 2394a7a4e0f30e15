#pragma once

/// `slopegan data --cache`.
namespace slopegan {

/// Prints what lies in the cache. With `prune`, removes the entries whose sources are gone, and prints them. Throws
/// IoError.
void print_cache(bool prune);

}  // namespace slopegan
