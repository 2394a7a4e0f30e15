#include "support/cache_contents.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <sstream>
#include <sys/stat.h>

#include "support/cache_directory.h"
#include "support/files.h"

namespace slopegan {

namespace fs = std::filesystem;

namespace {

/// Returns the path of the entry to which `file` belongs. If packing images is interrupted, it leaves STEM.part and
/// STEM.progress instead of STEM.images; if computing features is interrupted, it leaves NAME.tmp-NUMBER instead of
/// NAME.
fs::path entry_of(const fs::path& file) {
  const auto ending = file.extension();
  if (ending == ".part" || ending == ".progress") return fs::path(file).replace_extension(".images");
  return ending.native().starts_with(".tmp-") ? fs::path(file).replace_extension() : file;
}

void read_record(CacheEntry& entry) {
  constexpr std::size_t most_bytes = 1 << 20;
  const fs::path record = cache_record(entry.file);
  struct stat status;
  if (::stat(record.c_str(), &status) != 0) return;
  entry.last_use = status.st_mtime;
  std::istringstream lines(read_file(record, most_bytes));
  for (std::string line; std::getline(lines, line);) entry.sources.emplace_back(line);
}

}  // namespace

bool CacheEntry::lost_its_source() const {
  const auto is_gone = [](const fs::path& source) {
    struct stat status;
    return ::lstat(source.c_str(), &status) != 0 && (errno == ENOENT || errno == ENOTDIR);
  };
  return !sources.empty() && std::all_of(sources.begin(), sources.end(), is_gone);
}

std::vector<CacheEntry> cache_entries() {
  std::map<fs::path, CacheEntry> entries;
  std::error_code error;
  const fs::path records = cache_dir() / "sources";
  fs::recursive_directory_iterator item(cache_dir(), error);
  if (error == std::errc::no_such_file_or_directory) return {};
  for (; !error && item != fs::recursive_directory_iterator(); item.increment(error)) {
    std::error_code ignored;
    if (item->path() == records) item.disable_recursion_pending();
    if (!item->is_regular_file(ignored) || item->path().extension() == ".lock") continue;
    CacheEntry& entry = entries[entry_of(item->path())];
    entry.parts.push_back(item->path());
    const auto bytes = item->file_size(ignored);
    if (!ignored) entry.bytes += bytes;
  }
  if (error) throw cache_error("cannot list the cache", IoError(display(cache_dir()) + ": " + error.message()));
  std::vector<CacheEntry> all;
  for (auto& [file, entry] : entries) {
    entry.file = file;
    read_record(entry);
    all.push_back(std::move(entry));
  }
  return all;
}

void remove_cache_entry(const CacheEntry& entry) {
  try {
    const fs::path lock_file = entry.file.string() + ".lock";
    const FileLock lock(lock_file, entry.file);
    follow_directory_mode(lock_file);
    for (const auto& part : entry.parts) remove_tree(part);
    remove_tree(cache_record(entry.file));
  } catch (const IoError& error) {
    throw cache_error("cannot clean up the cache", error);
  }
}

}  // namespace slopegan
