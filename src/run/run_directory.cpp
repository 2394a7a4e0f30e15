#include "run/run_directory.h"

#include <string>
#include <string_view>

#include "support/errors.h"

namespace slopegan {

namespace fs = std::filesystem;

static constexpr std::string_view lock_name = ".lock";

fs::path RunPaths::samples_file(std::int64_t images) const { return samples_dir() / (std::to_string(images) + ".png"); }

static bool holds_anything(const fs::path& directory) {
  std::error_code error;
  fs::directory_iterator iterator(directory, error);
  for (; !error && iterator != fs::directory_iterator(); iterator.increment(error)) {
    if (iterator->path().filename() != lock_name) return true;
  }
  if (error) throw_io_error("list", directory, error.value());
  return false;
}

static void refuse_what_exists(const fs::path& root) {
  if (!holds_anything(root)) return;
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
  // Somebody's folder that never was a run is refused before a lock file is left in it.
  std::error_code ignored;
  if (!fs::exists(root / lock_name, ignored)) refuse_what_exists(root);
  RunDirectory directory(root);
  refuse_what_exists(root);
  return directory;
}

static bool holds_hidden_files_alone(const fs::path& directory) {
  std::error_code error;
  for (fs::directory_iterator entry(directory, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    if (!entry->path().filename().native().starts_with('.')) return false;
  }
  return !error;
}

RunDirectory RunDirectory::open(const fs::path& root) {
  std::error_code ignored;
  if (!fs::is_directory(root, ignored)) {
    throw UsageError(display(root) + " is no run directory; start the run without --resume");
  }
  // A run that was killed at its very beginning has left hidden files at most.
  const RunPaths paths(root);
  const bool is_run = fs::exists(paths.config_file(), ignored) || holds_hidden_files_alone(root);
  if (!is_run) throw UsageError(display(root) + " exists and is no run; choose another name with run.name=...");
  return RunDirectory(root);
}

}  // namespace slopegan
