#pragma once

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// Lists the entries of the cache (support/cache_directory.h) for users, and removes entries.
namespace slopegan {

/// The result of one computation, for example packed images, a trained classifier or features.
struct CacheEntry {
  std::filesystem::path file;                ///< may be missing if its creation was interrupted
  std::vector<std::filesystem::path> parts;  ///< the files that exist, including those left by an interrupted creation
  std::uint64_t bytes = 0;                   ///< total size of the parts
  std::vector<std::filesystem::path> sources;  ///< the data from which the entry was made; empty if unknown
  std::optional<std::time_t> last_use;

  /// Whether the sources are known and none of them still exists.
  bool lost_its_source() const;
};

/// A directory that another program put into the cache, such as a data set that one of the scripts created.
struct ForeignDirectory {
  std::string name;
  std::size_t files = 0;  ///< including those in subdirectories
  std::uint64_t bytes = 0;
};

/// Returns the entries, sorted by path. Lock files, the records that note_cache_use writes and foreign directories are
/// not included. Files directly in the cache directory are included, as entries without sources. Throws IoError.
std::vector<CacheEntry> cache_entries();

/// Returns the directories in the cache that do not belong to this program, sorted by name. They contain no entries, so
/// this program never removes anything from them. Throws IoError.
std::vector<ForeignDirectory> foreign_directories();

/// Removes the files of the entry and the record of its use. Throws BusyError if a process is currently creating the
/// entry. If a file cannot be removed, throws an IoError that names SLOPEGAN_CACHE.
void remove_cache_entry(const CacheEntry& entry);

}  // namespace slopegan
