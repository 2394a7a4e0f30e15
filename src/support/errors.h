#pragma once

#include <stdexcept>
#include <string>

namespace slopegan {

/// What the process returns to its caller; the values are part of the program's interface.
enum class ExitCode : int {
  done = 0,
  usage = 2,
  data = 3,
  checkpoint = 4,
  diverged = 5,
  io = 6,
  busy = 7,
  bug = 70,
  // 128 + the signal's number: stopped by it, after a checkpoint was written
};

/// An ending that the user can do something about. The message is one complete sentence for a person: what is wrong,
/// where, what is allowed. Everything else that is thrown is a bug of ours and ends with ExitCode::bug.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

struct UsageError : Error {
  explicit UsageError(const std::string& message) : Error(ExitCode::usage, message) {}
};
struct DataError : Error {
  explicit DataError(const std::string& message) : Error(ExitCode::data, message) {}
};
struct CheckpointError : Error {
  explicit CheckpointError(const std::string& message) : Error(ExitCode::checkpoint, message) {}
};
struct DivergedError : Error {
  explicit DivergedError(const std::string& message) : Error(ExitCode::diverged, message) {}
};
struct IoError : Error {
  explicit IoError(const std::string& message) : Error(ExitCode::io, message) {}
};
struct BusyError : Error {
  explicit BusyError(const std::string& message) : Error(ExitCode::busy, message) {}
};
/// A signal asked to stop where there is nothing to save yet.
struct StoppedError : Error {
  StoppedError(int signal, const std::string& message) : Error(static_cast<ExitCode>(128 + signal), message) {}
};

}  // namespace slopegan
