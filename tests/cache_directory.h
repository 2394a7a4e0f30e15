#pragma once

#include <cstdlib>
#include <string>

#include "temporary_directory.h"

namespace slopegan {

/// A cache of its own while it lives.
class CacheDirectory {
 public:
  CacheDirectory() : CacheDirectory(std::string()) {}
  /// Another place than its own directory.
  explicit CacheDirectory(const std::string& place) {
    if (const char* before = std::getenv("SLOPEGAN_CACHE")) before_ = before;
    ::setenv("SLOPEGAN_CACHE", place.empty() ? directory_.path().c_str() : place.c_str(), 1);
  }
  ~CacheDirectory() {
    if (before_.empty()) {
      ::unsetenv("SLOPEGAN_CACHE");
    } else {
      ::setenv("SLOPEGAN_CACHE", before_.c_str(), 1);
    }
  }
  CacheDirectory(const CacheDirectory&) = delete;
  CacheDirectory& operator=(const CacheDirectory&) = delete;

  const std::filesystem::path& path() const { return directory_.path(); }

 private:
  TemporaryDirectory directory_;
  std::string before_;
};

}  // namespace slopegan
