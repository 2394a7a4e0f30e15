#include "run/run_directory.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "run/checkpoint.h"
#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace fs = std::filesystem;

static constexpr std::string_view lock_name = ".lock";

fs::path RunPaths::samples_file(std::int64_t images) const { return samples_dir() / (std::to_string(images) + ".png"); }

fs::path RunPaths::lock_file() const { return root_ / lock_name; }

fs::path configured_directory(const RunConfig& run) { return fs::path(run.output_dir) / run.name; }

/// Whether the directory has an entry, other than the lock, for which `is_allowed` is false.
template <class Predicate>
static bool has_entry_except(const fs::path& directory, Predicate&& is_allowed) {
  const auto entries = entries_of(directory);
  return std::any_of(entries.begin(), entries.end(), [&](const fs::path& entry) {
    return entry.filename() != lock_name && !is_allowed(entry.filename().native());
  });
}

std::set<std::int64_t> RunPaths::sample_counts() const {
  std::set<std::int64_t> counts;
  if (root_.empty()) return counts;  // the run of an arm that has not started
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(samples_dir(), ignored)) {
    const auto images = parse_as<std::int64_t>(entry.path().stem().string());
    if (images && entry.path().extension() == ".png") counts.insert(*images);
  }
  return counts;
}

static bool has_any_entry(const fs::path& directory) {
  return has_entry_except(directory, [](std::string_view) { return false; });
}

[[noreturn]] static void throw_exists(const fs::path& root) {
  throw UsageError(display(root) +
                   " already exists; resume it with --resume auto, or choose another name with run.name=...");
}

RunDirectory::RunDirectory(const fs::path& root, std::optional<fs::path> first_created)
    : RunPaths(root), lock_(root / lock_name, root), first_created_(std::move(first_created)) {}

/// The topmost directory among `directory` and its parents that does not exist; empty if all of them exist.
static fs::path first_missing(const fs::path& directory) {
  fs::path missing;
  std::error_code ignored;
  for (fs::path path = directory; !path.empty() && !fs::exists(path, ignored); path = path.parent_path())
    missing = path;
  return missing;
}

void refuse_link(const fs::path& root) {
  std::error_code ignored;  // make_directories reports errors
  if (!fs::is_symlink(root, ignored)) return;
  throw UsageError(display(root) +
                   " is a symlink, and new runs are not written through symlinks; remove it, or choose another "
                   "name with run.name=...");
}

RunDirectory RunDirectory::create(const fs::path& root) {
  refuse_link(root);
  const fs::path first_created = first_missing(root);
  make_directories(root);
  // Check for other files first, so that no lock file is left in a folder that is not a run. If there is a lock file,
  // the other files may belong to a process that is creating the run; in that case, locking throws BusyError.
  std::error_code ignored;
  if (has_any_entry(root) && !fs::exists(root / lock_name, ignored)) throw_exists(root);
  RunDirectory directory(root, first_created);
  if (has_any_entry(root)) throw_exists(root);
  return directory;
}

void RunDirectory::discard_if_unused() const {
  if (!first_created_ || file_size_or_zero(history_file()) > 0 || !list_checkpoints(checkpoints_dir()).empty()) return;
  std::error_code ignored;
  try {
    check_in_place();
    for (const fs::path& entry : entries_of(root())) fs::remove_all(entry, ignored);
  } catch (const IoError&) {
    return;
  }
  if (first_created_->empty()) return;
  // Parents in which other processes have created files are kept.
  for (fs::path path = root(); fs::remove(path, ignored) && path != *first_created_;) path = path.parent_path();
}

/// Whether the directory contains a run. Other folders may also contain a config.yaml, so a file that only this program
/// writes is required as well. This need not be the lock file, because some copies of a run lack hidden files. A run
/// that was killed immediately after its start has only hidden files, if any.
static bool is_run(const RunPaths& paths) {
  std::error_code ignored;
  if (!has_entry_except(paths.root(), [](std::string_view name) { return name.starts_with('.'); })) return true;
  return fs::exists(paths.config_file(), ignored) &&
         (fs::exists(paths.run_info_file(), ignored) || fs::exists(paths.lock_file(), ignored) ||
          !list_checkpoints(paths.checkpoints_dir()).empty());
}

RunDirectory RunDirectory::open(const fs::path& root) {
  std::error_code ignored;
  if (!fs::is_directory(root, ignored)) {
    throw UsageError(display(root) + " is not a run directory; start the run without --resume");
  }
  const RunPaths paths(root);
  if (!is_run(paths))
    throw UsageError(display(root) + " exists and is not a run; choose another name with run.name=...");
  RunDirectory directory(root, std::nullopt);
  for (const auto& folder : {root, paths.samples_dir()}) remove_temporaries(folder);
  restore_links(paths.checkpoints_dir());
  return directory;
}

}  // namespace slopegan
