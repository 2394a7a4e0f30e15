#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "sweep/child_process.h"

namespace slopegan {

/// Rewrites a sweep's report periodically in a child process, so that a large report does not delay the arms and a
/// failure does not stop them.
class ReportRefresher {
 public:
  /// If `every` is 0, the report is never refreshed.
  ReportRefresher(std::filesystem::path sweep_dir, std::chrono::seconds every);

  void refresh_if_due();

  /// Waits for the report that is being written, so that it cannot replace a later one.
  void finish();

  /// The process that is writing the report, or nullptr.
  const ChildProcess* process() const { return process_ ? &*process_ : nullptr; }

 private:
  using Clock = std::chrono::steady_clock;
  void collect();
  void warn(const std::string& reason);

  std::filesystem::path sweep_dir_;
  std::chrono::seconds every_;
  Clock::time_point started_ = Clock::now();
  std::optional<ChildProcess> process_;
  bool warned_ = false;
};

}  // namespace slopegan
