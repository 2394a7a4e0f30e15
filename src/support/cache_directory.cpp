#include "support/cache_directory.h"

#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>

namespace slopegan {

namespace fs = std::filesystem;

static fs::path path_variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

fs::path cache_dir() {
  if (const auto chosen = path_variable("SLOPEGAN_CACHE"); !chosen.empty()) {
    return chosen.has_filename() || !chosen.has_relative_path() ? chosen : chosen.parent_path();  // drops the "/"
  }
  if (const auto caches = path_variable("XDG_CACHE_HOME"); caches.is_absolute()) return caches / "slopegan";
  if (const auto home = path_variable("HOME"); home.is_absolute()) return home / ".cache" / "slopegan";
  std::error_code ignored;
  return fs::temp_directory_path(ignored) / "slopegan-cache";
}

void follow_directory_mode(const fs::path& path) {
  struct stat own, directory;
  if (::stat(path.c_str(), &own) != 0 || ::stat(path.parent_path().c_str(), &directory) != 0) return;
  const mode_t allowed = S_ISDIR(own.st_mode) ? 07077 : 0066;
  const mode_t mode = (own.st_mode & 0700) | (directory.st_mode & allowed);
  if (mode != (own.st_mode & 07777)) static_cast<void>(::chmod(path.c_str(), mode));
}

/// Creates a directory in the cache and its missing parents. Only directories within the cache get the mode of the
/// cache; the cache itself is created like any other directory.
static void make_cache_directory(const fs::path& directory) {
  std::error_code ignored;
  if (fs::is_directory(directory, ignored)) return;
  if (directory == cache_dir() || !directory.has_parent_path()) return make_directories(directory);
  make_cache_directory(directory.parent_path());
  make_directories(directory);
  follow_directory_mode(directory);
}

FileLock wait_for_cache_lock(const fs::path& file) {
  make_cache_directory(file.parent_path());
  const fs::path lock = file.string() + ".lock";
  FileLock held = wait_for_lock(lock, file);
  follow_directory_mode(lock);
  return held;
}

FileLock try_cache_lock(const fs::path& file) {
  make_cache_directory(file.parent_path());
  const fs::path lock = file.string() + ".lock";
  FileLock held(lock, file);
  follow_directory_mode(lock);
  return held;
}

fs::path cache_record(const fs::path& file) {
  return (cache_dir() / "sources" / file.lexically_relative(cache_dir())) += ".txt";
}

void note_cache_use(const fs::path& file, const fs::path& source) {
  constexpr std::size_t most_bytes = 1 << 16;  // maximum size of a record: enough for the paths of hundreds of sources
  std::error_code error;
  const fs::path known = fs::weakly_canonical(source, error);
  const std::string line = (error ? source : known).string() + "\n";
  if (source.empty() || line.find('\n') + 1 != line.size()) return;
  const fs::path record = cache_record(file);
  try {
    make_cache_directory(record.parent_path());
    std::string lines = fs::exists(record, error) ? read_file(record, most_bytes) : "";
    if (("\n" + lines).find("\n" + line) != std::string::npos) {
      static_cast<void>(::utimensat(AT_FDCWD, record.c_str(), nullptr, 0));
    } else {
      write_file_atomic(record, lines.size() + line.size() > most_bytes ? line : lines + line, Sync::later);
      follow_directory_mode(record);
    }
  } catch (const IoError&) {  // no run depends on the record
    return;
  }
}

IoError cache_error(const std::string& action, const IoError& error) {
  return IoError(action + ": " + error.what() + "; set SLOPEGAN_CACHE to use another directory for the cache");
}

}  // namespace slopegan
