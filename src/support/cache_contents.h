#pragma once

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// What lies in the cache (support/cache_directory.h), for people who want to know or to clean up.
namespace slopegan {

/// One thing that is computed once: packed images, a trained classifier, features.
struct CacheEntry {
  std::filesystem::path file;                  ///< may not exist yet, if its making was interrupted
  std::vector<std::filesystem::path> parts;    ///< the files that exist, including those of an interrupted making
  std::uint64_t bytes = 0;                     ///< of all parts
  std::vector<std::filesystem::path> sources;  ///< what it was made from; empty if this is not known
  std::optional<std::time_t> last_use;

  /// Whether all sources are known to be gone.
  bool lost_its_source() const;
};

/// The entries by path. Leaves out locks and the records of note_cache_use. Throws IoError.
std::vector<CacheEntry> cache_entries();

/// Removes what belongs to the entry, and the record of its use. Throws BusyError if a process is making it now, and
/// IoError, which names SLOPEGAN_CACHE.
void remove_cache_entry(const CacheEntry& entry);

}  // namespace slopegan
