#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "support/posix_file.h"

namespace slopegan {

/// An exclusive lock (flock), held for the lifetime of the object. The system releases it when the process dies. Child
/// processes do not inherit it.
///
/// On a file system without locks, a warning is logged once, and the record of the holder in the file replaces the
/// lock. A record is ignored if its process ran on this machine and has ended. It is unknown whether a process on
/// another machine, or in another PID namespace (container) of this machine, is still running, so its record counts as
/// a lock until somebody deletes the file.
class FileLock {
 public:
  /// Locks `file` without waiting. Creates the file if necessary and never deletes it. If another process holds the
  /// lock, throws a BusyError that names `guarded` and the process that uses it.
  FileLock(const std::filesystem::path& file, const std::filesystem::path& guarded);
  ~FileLock();
  FileLock(FileLock&&) noexcept = default;

  /// Throws IoError if the lock file was removed or replaced, because another process may own the guarded path now.
  void check_in_place() const;

 private:
  void take_without_locks();

  std::filesystem::path guarded_;
  PosixFile file_;
  bool has_lock_ = false;
};

/// The process that holds the lock `file` ("process 1234", or "process 1234 on node7" if it is on another machine), or
/// std::nullopt if no process holds it. If the lock exists only as a record in the file and the process may have ended,
/// the text continues with "; if that process has ended, delete ...". Takes the lock for a moment, so an attempt to
/// lock the file at the same time may fail.
std::optional<std::string> lock_holder(const std::filesystem::path& file);

/// Locks `file` like FileLock, but waits while another process holds the lock, and logs which process it is waiting
/// for. Throws StoppedError if a signal asks the process to stop while it waits.
FileLock wait_for_lock(const std::filesystem::path& file, const std::filesystem::path& guarded);

}  // namespace slopegan
