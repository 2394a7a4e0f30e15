#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace slopegan {

/// A process of this very program, which is no rank of a training of several even where this one was started as such
/// (a sweep under srun). It is told to stop (SIGTERM) when this process dies.
class ChildProcess {
 public:
  /// `arguments` without the program's name. Its stdout is thrown away, its stderr kept for `last_words`. Throws
  /// IoError.
  explicit ChildProcess(const std::vector<std::string>& arguments);
  ChildProcess(ChildProcess&&) = default;
  ChildProcess& operator=(ChildProcess&&) = default;

  /// The exit code (128 + signal where one ended it) once it has ended; does not wait.
  std::optional<int> poll();

  void send(int signal) const;

  /// The last line of its stderr.
  std::string last_words() const;

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, CloseFile> errors_;
  pid_t pid_ = -1;
  std::optional<int> exit_code_;
};

}  // namespace slopegan
