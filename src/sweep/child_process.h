#pragma once

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace slopegan {

/// A child process that runs this program. The environment variables that make a process a rank in distributed training
/// are removed from the child's environment, so that the sweep itself can be started by srun or torchrun. The child
/// receives SIGTERM when this process dies.
class ChildProcess {
 public:
  /// Starts the program with `arguments`, which do not include its name, and with `variables` ("NAME=value") set in
  /// the environment. The child's stdout is discarded, and its stderr is kept for the functions below. Throws IoError.
  explicit ChildProcess(const std::vector<std::string>& arguments, const std::vector<std::string>& variables = {});
  ChildProcess(ChildProcess&&) = default;
  ChildProcess& operator=(ChildProcess&&) = default;

  /// The exit code, 128 + signal if a signal ended the process, or std::nullopt while it runs. Does not block.
  std::optional<int> poll();

  void send(int signal) const;

  /// The last line of stderr, in printable form. Empty if the child has written nothing.
  std::string last_stderr_line() const;

  /// Finds `text` in stderr and returns it with the rest of its line, in printable form. Empty if the first 64 KiB do
  /// not contain `text` in a complete line. The child may still be running.
  std::string stderr_from(std::string_view text) const;

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, CloseFile> stderr_file_;
  pid_t pid_ = -1;
  std::optional<int> exit_code_;
};

/// Returns the exit code with which this process reports how a child ended. `code` is the result of poll(). If a signal
/// ended the child, returns ExitCode::bug if only faults raise this signal (such as SIGSEGV), and ExitCode::io
/// otherwise, because an exit code of 128 + signal would mean that the signal stopped this process. Other codes are
/// returned unchanged.
int exit_code_for(int code);

/// If SIGTSTP (Ctrl-Z) has arrived while a SuspendRequests object exists, suspends the children and this process, and
/// resumes the children when this process is resumed. The terminal's signal does not reach the children, because they
/// have their own process groups.
void suspend_if_requested(const std::vector<const ChildProcess*>& children);

}  // namespace slopegan
