#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "run/event_files.h"
#include "run/run_directory.h"
#include "support/files.h"

namespace slopegan {

/// The JSONL files and event files of a run. A checkpoint stores the sizes of the files, and a run that resumes from
/// the checkpoint truncates the files to these sizes, so that no line is lost or duplicated.
class RunLogs {
 public:
  /// Opens the JSONL files, and creates those that are missing. Throws IoError.
  explicit RunLogs(const RunPaths& run);

  AppendFile history, metrics, diagnostics;
  EventFiles events;  ///< disabled until EventFiles::begin is called

  /// Returns the size of each file in bytes, keyed by file name.
  std::map<std::string, std::uint64_t> sizes() const;

  /// Throws IoError, with a hint on how to continue, if a JSONL file of `run` is shorter than its entry in `sizes`.
  /// Changes nothing.
  static void require(const RunPaths& run, const std::map<std::string, std::uint64_t>& sizes);

  /// Truncates each JSONL file to its entry in `sizes`, or to 0 if it has no entry, and the event files as in
  /// EventFiles::truncate_to. Throws IoError, for example if a JSONL file is shorter than its entry.
  void truncate_to(const std::map<std::string, std::uint64_t>& sizes);

  /// Flushes all lines to the disk (fsync).
  void sync();
};

}  // namespace slopegan
