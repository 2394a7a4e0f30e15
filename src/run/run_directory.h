#pragma once

#include <cstdint>
#include <filesystem>

#include "support/files.h"

namespace slopegan {

/// Where the files of a run stand. Nothing is created, read or locked.
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
  std::filesystem::path checkpoints_dir() const { return root_ / "checkpoints"; }
  std::filesystem::path report_file() const { return root_ / "report.html"; }

 private:
  std::filesystem::path root_;
};

/// Throws UsageError where a link stands at `root`: what is new stays inside run.output_dir.
void refuse_link(const std::filesystem::path& root);

/// The run directory of the one process that writes to it; others are kept out while the object lives.
class RunDirectory : public RunPaths {
 public:
  /// A new one at `root`, made with its parents. Throws UsageError where something stands in it already, or `root`
  /// itself is a link, BusyError where another process has it, IoError.
  static RunDirectory create(const std::filesystem::path& root);

  /// The one at `root`, to go on with; what a process that was killed left half written is removed. Throws UsageError
  /// where there is none, BusyError where another process has it, IoError.
  static RunDirectory open(const std::filesystem::path& root);

  /// Throws IoError where the directory was removed or replaced since: a run must not write into the next one's.
  void check_in_place() const { lock_.check_in_place(); }

 private:
  explicit RunDirectory(const std::filesystem::path& root);

  FileLock lock_;
};

}  // namespace slopegan
