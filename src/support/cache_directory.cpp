#include "support/cache_directory.h"

#include <cstdlib>

namespace slopegan {

namespace fs = std::filesystem;

static fs::path path_variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

fs::path cache_dir() {
  if (const auto chosen = path_variable("SLOPEGAN_CACHE"); !chosen.empty()) return chosen;
  if (const auto caches = path_variable("XDG_CACHE_HOME"); caches.is_absolute()) return caches / "slopegan";
  if (const auto home = path_variable("HOME"); home.is_absolute()) return home / ".cache" / "slopegan";
  std::error_code ignored;
  return fs::temp_directory_path(ignored) / "slopegan-cache";
}

FileLock wait_for_cache_lock(const fs::path& file) {
  make_directories(file.parent_path());
  return wait_for_lock(file.string() + ".lock", file);
}

fs::path expand_home(const fs::path& path) {
  const std::string& text = path.native();
  const auto home = path_variable("HOME");
  return text.starts_with("~/") && home.is_absolute() ? home / text.substr(2) : path;
}

}  // namespace slopegan
