#pragma once

#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "temporary_directory.h"

namespace slopegan::testing {

inline std::string read_text(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

/// A running slopegan process whose output goes to files in `scratch`.
class Program {
 public:
  /// `prepare` runs in the child before exec, for example to set limits, environment variables or descriptors.
  Program(const std::filesystem::path& scratch, const std::vector<std::string>& arguments,
          const std::function<void()>& prepare = {}, const std::string& binary = SLOPEGAN_BINARY)
      : out_(scratch / "stdout.txt"), err_(scratch / "stderr.txt") {
    std::vector<std::string> owned = {binary};
    owned.insert(owned.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (auto& argument : owned) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    // Empties the files now, so that out() and err() never return the output of an earlier program.
    for (const auto& file : {out_, err_}) std::ofstream{file};
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork");  // send() to process -1 would signal every process
    if (pid_ == 0) {
      ::dup2(::open(out_.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0644), STDOUT_FILENO);
      ::dup2(::open(err_.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0644), STDERR_FILENO);
      // The tests expect the CPU. Set the variable to run them on a GPU.
      ::setenv("CUDA_VISIBLE_DEVICES", "-1", /*overwrite=*/0);
      // If a shell runs the tests in the background, they ignore SIGINT, and the program would inherit this setting.
      for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::signal(signal, SIG_DFL);
      if (prepare) prepare();
      ::execv(pointers[0], pointers.data());
      ::_exit(127);
    }
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  /// Kills the process, so that a failing test leaves no process behind.
  ~Program() {
    if (!ended_) send(SIGKILL);
    wait();
  }
  pid_t pid() const { return pid_; }
  void send(int signal) const { ::kill(pid_, signal); }

  /// Waits for the process. Returns its exit code, or -signal if a signal killed it. A process that stops cleanly
  /// because of a signal exits with the code 128 + signal, so the two cases differ.
  int wait() { return *poll(/*flags=*/0); }
  /// Like wait(), but does not block: returns std::nullopt if the process is still running.
  std::optional<int> poll(int flags = WNOHANG) {
    rusage usage{};
    if (!ended_ && ::wait4(pid_, &status_, flags, &usage) == pid_) {
      ended_ = true;
      peak_mib_ = static_cast<double>(usage.ru_maxrss) / 1024;
    }
    if (!ended_) return std::nullopt;
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : -WTERMSIG(status_);
  }
  /// Returns the peak memory use of the process in MiB. The process must have ended.
  double peak_mib() const { return peak_mib_; }
  std::string out() const { return read_text(out_); }
  std::string err() const { return read_text(err_); }

 private:
  std::filesystem::path out_, err_;
  pid_t pid_ = -1;
  int status_ = 0;
  bool ended_ = false;
  double peak_mib_ = 0;
};

struct Result {
  int code;  ///< see Program::wait
  std::string out, err;
  double peak_mib = 0;
};

inline Result run(const std::filesystem::path& scratch, const std::vector<std::string>& arguments,
                  const std::function<void()>& prepare = {}, const std::string& binary = SLOPEGAN_BINARY) {
  Program program(scratch, arguments, prepare, binary);
  const int code = program.wait();
  return {code, program.out(), program.err(), program.peak_mib()};
}

inline std::string config_file(const std::string& name) { return SLOPEGAN_SOURCE_DIR "/configs/" + name; }

/// Waits at most a minute for `file` to exist. Returns whether it exists.
inline bool wait_for(const std::filesystem::path& file) {
  for (int i = 0; i < 6000 && !std::filesystem::exists(file); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return std::filesystem::exists(file);
}

/// Waits at most a minute for `file` to become non-empty. Returns whether it is non-empty. The history of a run, for
/// example, is created empty and gets its first line after the first step.
inline bool wait_for_content(const std::filesystem::path& file) {
  const auto is_empty = [&] { return read_text(file).empty(); };
  for (int i = 0; i < 6000 && is_empty(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return !is_empty();
}

/// Returns the number of times that a run started training, according to its log.
inline int starts_of(const std::filesystem::path& run) {
  const auto log = read_text(run / "log.txt");
  int count = 0;
  for (auto at = log.find("training /"); at != std::string::npos; at = log.find("training /", at + 1)) ++count;
  return count;
}

/// A test that runs the program, usually with the smoke configuration. The output goes to a temporary directory.
class ProgramTest : public ::testing::Test {
 protected:
  explicit ProgramTest(const std::string& parent = temporary_parent()) : directory_(parent) {}

  Result slopegan(const std::vector<std::string>& arguments) { return run(directory_.path(), arguments); }

  std::vector<std::string> smoke(const std::string& command, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {command, config_file("smoke.yaml"), "run.output_dir=" + outputs().string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  std::filesystem::path outputs() const { return directory_ / "outputs"; }

  TemporaryDirectory directory_;
};

}  // namespace slopegan::testing
