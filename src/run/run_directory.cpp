#include "run/run_directory.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "support/errors.h"

namespace slopegan {

namespace fs = std::filesystem;

static constexpr std::string_view lock_name = ".lock";

fs::path RunPaths::samples_file(std::int64_t images) const { return samples_dir() / (std::to_string(images) + ".png"); }

/// Whether a name of the directory, other than the lock's, fails `is_fine`.
template <class Predicate>
static bool holds_other_than(const fs::path& directory, Predicate&& is_fine) {
  const auto entries = entries_of(directory);
  return std::any_of(entries.begin(), entries.end(), [&](const fs::path& entry) {
    return entry.filename() != lock_name && !is_fine(entry.filename().native());
  });
}

static bool holds_anything(const fs::path& directory) {
  return holds_other_than(directory, [](std::string_view) { return false; });
}

[[noreturn]] static void refuse_what_exists(const fs::path& root) {
  throw UsageError(display(root) +
                   " exists already; go on with --resume auto, or choose another name with run.name=...");
}

RunDirectory::RunDirectory(const fs::path& root) : RunPaths(root), lock_(root / lock_name, root) {}

void refuse_link(const fs::path& root) {
  std::error_code ignored;  // whatever is wrong, making the directory will say it
  if (!fs::is_symlink(root, ignored)) return;
  throw UsageError(display(root) +
                   " is a link, and nothing new is written through one; remove it, or choose another "
                   "name with run.name=...");
}

RunDirectory RunDirectory::create(const fs::path& root) {
  refuse_link(root);
  make_directories(root);
  // Somebody's folder that never was a run is refused before a lock file is left in it. What another process puts there
  // at this moment comes after its lock.
  std::error_code ignored;
  if (holds_anything(root) && !fs::exists(root / lock_name, ignored)) refuse_what_exists(root);
  RunDirectory directory(root);
  if (holds_anything(root)) refuse_what_exists(root);
  return directory;
}

RunDirectory RunDirectory::open(const fs::path& root) {
  std::error_code ignored;
  if (!fs::is_directory(root, ignored)) {
    throw UsageError(display(root) + " is no run directory; start the run without --resume");
  }
  // A run that was killed at its very beginning has left hidden files at most.
  const RunPaths paths(root);
  const bool is_run = fs::exists(paths.config_file(), ignored) ||
                      !holds_other_than(root, [](std::string_view name) { return name.starts_with('.'); });
  if (!is_run) throw UsageError(display(root) + " exists and is no run; choose another name with run.name=...");
  RunDirectory directory(root);
  for (const auto& folder : {root, paths.samples_dir()}) remove_temporaries(folder);
  return directory;
}

}  // namespace slopegan
