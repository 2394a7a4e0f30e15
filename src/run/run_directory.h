#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>

#include "config/config.h"
#include "support/file_lock.h"
#include "support/files.h"

namespace slopegan {

/// The paths of a run's files. This class does not create or lock anything.
class RunPaths {
 public:
  explicit RunPaths(std::filesystem::path root) : root_(std::move(root)) {}

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path config_file() const { return root_ / "config.yaml"; }
  std::filesystem::path overrides_file() const { return root_ / "overrides.yaml"; }
  std::filesystem::path run_info_file() const { return root_ / "run.json"; }
  std::filesystem::path log_file() const { return root_ / "log.txt"; }
  std::filesystem::path history_file() const { return root_ / "history.jsonl"; }
  std::filesystem::path metrics_file() const { return root_ / "metrics.jsonl"; }
  std::filesystem::path diagnostics_file() const { return root_ / "diagnostics.jsonl"; }
  std::filesystem::path reals_file() const { return root_ / "reals.png"; }
  std::filesystem::path samples_dir() const { return root_ / "samples"; }
  std::filesystem::path samples_file(std::int64_t images) const;
  /// The numbers in the names of the files samples/<images>.png; empty if there are none.
  std::set<std::int64_t> sample_counts() const;
  std::filesystem::path checkpoints_dir() const { return root_ / "checkpoints"; }
  /// The lock held by the process that writes the run.
  std::filesystem::path lock_file() const;
  std::filesystem::path report_file() const { return root_ / "report.html"; }

 private:
  std::filesystem::path root_;
};

/// <run.output_dir>/<run.name>.
std::filesystem::path configured_directory(const RunConfig& run);

/// Throws UsageError if `root` is a symlink, because new runs must not be written outside run.output_dir.
void refuse_link(const std::filesystem::path& root);

/// A run directory that this process has locked for writing. The lock is held for the lifetime of the object.
class RunDirectory : public RunPaths {
 public:
  /// Creates a new run directory and its missing parents. Throws UsageError if `root` is not empty or is a symlink,
  /// BusyError if another process has locked it, and IoError if a file operation fails.
  static RunDirectory create(const std::filesystem::path& root);

  /// Opens an existing run directory, removes the temporary files of a process that was killed, and restores the
  /// symlinks to checkpoints. Throws UsageError if `root` is not a run directory, BusyError if another process has
  /// locked it, and IoError if a file operation fails.
  static RunDirectory open(const std::filesystem::path& root);

  /// Throws IoError if the directory has been removed or replaced, because the process must not write to another run.
  void check_in_place() const { lock_.check_in_place(); }

  /// Empties and removes the directory if create() returned this object and the run has neither history nor
  /// checkpoints, so that a failed start does not prevent the next one. Directories that existed before are kept.
  /// Errors are ignored.
  void discard_if_unused() const;

 private:
  RunDirectory(const std::filesystem::path& root, std::optional<std::filesystem::path> first_created);

  FileLock lock_;
  /// The topmost directory created by create(); empty if all directories existed; std::nullopt after open().
  std::optional<std::filesystem::path> first_created_;
};

}  // namespace slopegan
