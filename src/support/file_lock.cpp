#include "support/file_lock.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <sstream>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <thread>
#include <unistd.h>

#include "support/errors.h"
#include "support/files.h"
#include "support/log.h"
#include "support/signals.h"
#include "support/text.h"

namespace slopegan {

namespace fs = std::filesystem;

namespace {

/// The record that the holder of a lock writes to the file: "1234 node7 567 4026531836\n". Fields may be missing at the
/// end: version 0.9 wrote only the process ID.
struct LockRecord {
  pid_t process = 0;  ///< 0 if the file contains no record
  std::string host;
  std::string start;          ///< start time; distinguishes processes with the same ID
  std::string pid_namespace;  ///< containers with the same host name may use the same process IDs

  bool operator==(const LockRecord&) const = default;
};

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0' ? name.data() : "unknown";
}

/// When the process started, in clock ticks since the machine started; empty if there is no such process.
std::string start_of(pid_t process) {
  try {
    const std::string status = read_file(format_text("/proc/{}/stat", process), 1 << 16);
    // The name of the program, in parentheses, may contain spaces. The start time is the 20th field after it.
    std::istringstream fields(status.substr(status.rfind(')') + 1));
    std::string field;
    for (int i = 0; i < 20; ++i) fields >> field;
    return field;
  } catch (const IoError&) {
    return "";
  }
}

/// The number of the PID namespace of this process; empty if it is unknown.
std::string own_pid_namespace() {
  struct stat status;
  return ::stat("/proc/self/ns/pid", &status) == 0 ? std::to_string(status.st_ino) : "";
}

LockRecord own_record() {
  const std::string start = start_of(::getpid());
  // Without a start time, the namespace would be read as the start time.
  return {::getpid(), host_name(), start, start.empty() ? "" : own_pid_namespace()};
}

LockRecord read_record(int descriptor) {
  std::array<char, 512> text{};
  const ssize_t count = ::pread(descriptor, text.data(), text.size() - 1, 0);
  LockRecord record;
  if (count <= 0) return record;
  std::istringstream fields(std::string(text.data(), static_cast<std::size_t>(count)));
  if (!(fields >> record.process)) return {};
  fields >> record.host >> record.start >> record.pid_namespace;
  return record;
}

bool is_on_this_host(const LockRecord& record) { return record.host.empty() || record.host == host_name(); }

/// Whether this process can check whether the process of the record is still running.
bool is_visible(const LockRecord& record) {
  return is_on_this_host(record) && (record.pid_namespace.empty() || record.pid_namespace == own_pid_namespace());
}

bool is_running(const LockRecord& record) {
  if (record.process <= 0) return false;
  if (!is_visible(record)) return true;
  if (::kill(record.process, 0) != 0 && errno == ESRCH) return false;
  return record.start.empty() || record.start == start_of(record.process);
}

std::string describe_holder(const LockRecord& record) {
  if (record.process <= 0) return "another process";
  const std::string process = format_text("process {}", record.process);
  if (!is_on_this_host(record)) return process + " on " + printable(record.host, 256);
  return process + (is_visible(record) ? "" : " in another PID namespace");
}

/// Describes the holder of a lock that exists only as a record. If it is unknown whether the holder is still running,
/// says how to remove the record.
std::string describe_recorded_holder(const LockRecord& record, const fs::path& file) {
  const bool is_unknown = record.process > 0 && !is_visible(record);
  return describe_holder(record) + (is_unknown ? "; if that process has ended, delete " + display(file) : "");
}

void write_record(PosixFile& file) {
  const LockRecord record = own_record();
  if (::ftruncate(file.descriptor(), 0) != 0) throw_io_error("write", file.path());
  const std::string text =
      format_text("{} {} {} {}\n", record.process, record.host, record.start, record.pid_namespace);
  if (::pwrite(file.descriptor(), text.data(), text.size(), 0) != std::ssize(text)) {
    throw_io_error("write", file.path());
  }
}

enum class Locking { done, busy, unsupported };

Locking try_lock(int descriptor, int operation, const fs::path& file) {
  if (::flock(descriptor, operation | LOCK_NB) == 0) return Locking::done;
  const int error = errno;
  if (error == EWOULDBLOCK) return Locking::busy;
  if (error != ENOLCK && !is_unsupported(error)) throw_io_error("lock", file, error);
  static std::atomic<bool> has_warned = false;
  if (!has_warned.exchange(true)) {
    log::warning(
        format_text("cannot lock {} ({}): the file system does not support locks, so two processes that start at the "
                    "same moment on different machines may use the same directory",
                    display(file), std::generic_category().message(error)));
  }
  return Locking::unsupported;
}

/// The flags for opening a lock file. Linux refuses O_CREAT for another user's file in a sticky directory, even if the
/// file is writable (fs.protected_regular).
int lock_flags(const fs::path& file) {
  std::error_code ignored;  // opening reports the error
  return fs::exists(file, ignored) ? O_RDWR : O_RDWR | O_CREAT;
}

}  // namespace

FileLock::FileLock(const fs::path& file, const fs::path& guarded) : guarded_(guarded), file_(file, lock_flags(file)) {
  const auto locking = try_lock(file_.descriptor(), LOCK_EX, file);
  if (locking == Locking::busy) {
    const std::string holder = describe_holder(read_record(file_.descriptor()));
    throw BusyError(format_text("{} is in use by {}", display(guarded), holder));
  }
  has_lock_ = locking == Locking::done;
  if (has_lock_) {
    write_record(file_);
  } else {
    take_without_locks();
  }
}

/// If two processes write their records at the same moment, both read the later record after a pause, so only the
/// process that wrote it continues.
void FileLock::take_without_locks() {
  const auto refuse = [this](const LockRecord& record) {
    throw BusyError(
        format_text("{} is in use by {}", display(guarded_), describe_recorded_holder(record, file_.path())));
  };
  const LockRecord before = read_record(file_.descriptor());
  if (is_running(before)) refuse(before);
  write_record(file_);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const LockRecord after = read_record(file_.descriptor());
  if (after != own_record()) refuse(after);
}

FileLock::~FileLock() {
  if (file_.descriptor() < 0 || has_lock_) return;
  if (read_record(file_.descriptor()) == own_record()) {
    [[maybe_unused]] const int cleared = ::ftruncate(file_.descriptor(), 0);
  }
}

void FileLock::check_in_place() const {
  struct stat held, found;
  if (::fstat(file_.descriptor(), &held) != 0) throw_io_error("stat", file_.path());
  const bool there = ::stat(file_.path().c_str(), &found) == 0;
  if (there && held.st_dev == found.st_dev && held.st_ino == found.st_ino) return;
  throw IoError(display(guarded_) + " was removed or replaced while it was in use");
}

std::optional<std::string> lock_holder(const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return std::nullopt;
  const PosixFile lock(file, O_RDONLY);
  const auto locking = try_lock(lock.descriptor(), LOCK_SH, file);
  const LockRecord record = read_record(lock.descriptor());
  if (locking == Locking::busy) return describe_holder(record);
  if (locking == Locking::unsupported && is_running(record)) return describe_recorded_holder(record, file);
  return std::nullopt;
}

FileLock wait_for_lock(const fs::path& file, const fs::path& guarded) {
  using Clock = std::chrono::steady_clock;
  constexpr auto silence = std::chrono::seconds(2);
  const auto say_at = Clock::now() + silence;
  bool has_said = false;
  for (;;) {
    try {
      return FileLock(file, guarded);
    } catch (const BusyError& error) {
      if (const int signal = stop_signal()) {
        throw StoppedError(signal, format_text("stopped while waiting: {}", error.what()));
      }
      if (!has_said && Clock::now() >= say_at) {
        log::info(format_text("waiting: {}", error.what()));
        has_said = true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }
}

}  // namespace slopegan
