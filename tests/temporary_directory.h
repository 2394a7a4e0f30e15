#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <unistd.h>

#include "scoped_variable.h"

namespace slopegan {

/// Returns the directory for temporary files (TMPDIR, or /tmp by default), with a slash at the end.
inline std::string temporary_parent() { return (std::filesystem::temp_directory_path() / "").string(); }

/// A new empty directory. The destructor deletes it with its contents.
class TemporaryDirectory {
 public:
  /// Creates the directory in `parent`, which must end with a slash.
  explicit TemporaryDirectory(const std::string& parent = temporary_parent()) {
    std::string name = parent + "slopegan-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot create a temporary directory: " + name);
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

  /// Writes a file in the directory and returns its path.
  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

/// Sets SLOPEGAN_CACHE to `place`, or to a temporary directory if `place` is empty, for the lifetime of the object.
class CacheDirectory {
 public:
  explicit CacheDirectory(const std::string& place = {})
      : path_(place.empty() ? directory_.path() : std::filesystem::path(place)),
        variable_("SLOPEGAN_CACHE", path_.c_str()) {}

  const std::filesystem::path& path() const { return path_; }

 private:
  TemporaryDirectory directory_;
  std::filesystem::path path_;
  ScopedVariable variable_;
};

/// Returns /dev/shm/, where fsync is fast because the files are in memory, or temporary_parent() if /dev/shm is not
/// writable.
inline std::string memory_parent() {
  return ::access("/dev/shm", W_OK) == 0 ? std::string("/dev/shm/") : temporary_parent();
}

}  // namespace slopegan
