#include "support/cache_contents.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <sstream>
#include <string_view>
#include <sys/stat.h>

#include "support/cache_directory.h"
#include "support/files.h"
#include "support/ranges.h"

namespace slopegan {

namespace fs = std::filesystem;

namespace {

/// The directories of the cache that contain entries.
constexpr std::array<std::string_view, 7> entry_kinds = {"classifiers", "features", "floors", "kernels",
                                                         "manifolds",   "packed",   "rulers"};

bool has_entries(const fs::path& directory) { return contains(entry_kinds, directory.filename().native()); }

/// The directory of the records that note_cache_use writes.
bool has_records(const fs::path& directory) { return directory == cache_dir() / "sources"; }

void throw_if(const std::error_code& error) {
  if (error) throw cache_error("cannot list the cache", IoError(display(cache_dir()) + ": " + error.message()));
}

/// Returns the path of the entry to which `file` belongs. If the packing of images is interrupted, the files STEM.part
/// and STEM.progress are left instead of STEM.images. If the computation of features is interrupted, the file
/// NAME.tmp-NUMBER is left instead of NAME.
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
  fs::recursive_directory_iterator item(cache_dir(), error);
  if (error == std::errc::no_such_file_or_directory) return {};
  for (; !error && item != fs::recursive_directory_iterator(); item.increment(error)) {
    std::error_code ignored;
    if (item.depth() == 0 && !has_entries(item->path())) item.disable_recursion_pending();
    if (!item->is_regular_file(ignored) || item->path().extension() == ".lock") continue;
    CacheEntry& entry = entries[entry_of(item->path())];
    entry.parts.push_back(item->path());
    const auto bytes = item->file_size(ignored);
    if (!ignored) entry.bytes += bytes;
  }
  throw_if(error);
  std::vector<CacheEntry> all;
  for (auto& [file, entry] : entries) {
    entry.file = file;
    read_record(entry);
    all.push_back(std::move(entry));
  }
  return all;
}

std::vector<ForeignDirectory> foreign_directories() {
  std::vector<ForeignDirectory> found;
  std::error_code error, ignored;
  fs::directory_iterator item(cache_dir(), error);
  if (error == std::errc::no_such_file_or_directory) return {};
  for (; !error && item != fs::directory_iterator(); item.increment(error)) {
    const auto& directory = item->path();
    if (!item->is_directory(ignored) || has_entries(directory) || has_records(directory)) continue;
    ForeignDirectory foreign{directory.filename().string()};
    fs::recursive_directory_iterator file(directory, fs::directory_options::skip_permission_denied, error);
    for (; !error && file != fs::recursive_directory_iterator(); file.increment(error)) {
      if (!file->is_regular_file(ignored)) continue;
      ++foreign.files;
      const auto bytes = file->file_size(ignored);
      if (!ignored) foreign.bytes += bytes;
    }
    throw_if(error);
    found.push_back(std::move(foreign));
  }
  throw_if(error);
  std::ranges::sort(found, {}, &ForeignDirectory::name);
  return found;
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
