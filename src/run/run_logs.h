#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "run/event_files.h"
#include "run/run_directory.h"
#include "support/files.h"

namespace slopegan {

/// The JSONL files of a run, and its event files. A checkpoint notes how long each is, so that a run that goes on from
/// it cuts off what came later: no line is lost or doubled.
class RunLogs {
 public:
  /// Opens the files, which are created where they are missing. Throws IoError.
  explicit RunLogs(const RunPaths& run);

  AppendFile history, metrics, diagnostics;
  EventFiles events;  ///< off until they are begun

  /// Bytes of each file, by its name.
  std::map<std::string, std::uint64_t> sizes() const;

  /// Throws IoError, which names a way out, where a JSONL file is shorter than `sizes` says.
  void require(const std::map<std::string, std::uint64_t>& sizes) const;

  /// Cuts each file to its size in `sizes`; one that is not in it is emptied. Throws IoError, also for a JSONL file
  /// that is shorter than that.
  void truncate_to(const std::map<std::string, std::uint64_t>& sizes);

  /// Returns once all lines are on the disk.
  void sync();
};

}  // namespace slopegan
