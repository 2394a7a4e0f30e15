#pragma once

#include <stdexcept>
#include <string>

namespace slopegan {

/// The exit codes of the process. They are part of its public interface.
enum class ExitCode : int {
  done = 0,
  usage = 2,
  data = 3,
  checkpoint = 4,
  diverged = 5,
  io = 6,
  busy = 7,
  bug = 70,
  // 128 + signal number: stopped by the signal
};

/// An error that the user can act on. The message states what is wrong, where, and what is allowed. Any other exception
/// ends the program with ExitCode::bug, unless it comes from std::filesystem or memory is exhausted (ExitCode::io).
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
/// Thrown if a signal stops an operation before it is complete.
struct StoppedError : Error {
  StoppedError(int signal, const std::string& message) : Error(static_cast<ExitCode>(128 + signal), message) {}
};

}  // namespace slopegan
