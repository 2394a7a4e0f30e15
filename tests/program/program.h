#pragma once

#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
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

/// A running slopegan; its output goes to files in `scratch`.
class Program {
 public:
  Program(const std::filesystem::path& scratch, const std::vector<std::string>& arguments)
      : out_(scratch / "stdout.txt"), err_(scratch / "stderr.txt") {
    std::vector<std::string> owned = {SLOPEGAN_BINARY};
    owned.insert(owned.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (auto& argument : owned) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(::open(out_.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0644), STDOUT_FILENO);
      ::dup2(::open(err_.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0644), STDERR_FILENO);
      ::execv(pointers[0], pointers.data());
      ::_exit(127);
    }
  }
  void send(int signal) const { ::kill(pid_, signal); }

  /// The exit code, or 128 + the signal that ended it.
  int wait() {
    int status = 0;
    rusage usage{};
    ::wait4(pid_, &status, 0, &usage);
    peak_mib_ = static_cast<double>(usage.ru_maxrss) / 1024;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  /// The most memory that it had at a time; after wait().
  double peak_mib() const { return peak_mib_; }
  std::string out() const { return read_text(out_); }
  std::string err() const { return read_text(err_); }

 private:
  std::filesystem::path out_, err_;
  pid_t pid_ = -1;
  double peak_mib_ = 0;
};

struct Result {
  int code;
  std::string out, err;
  double peak_mib = 0;
};

inline Result run(const std::filesystem::path& scratch, const std::vector<std::string>& arguments) {
  Program program(scratch, arguments);
  const int code = program.wait();
  return {code, program.out(), program.err(), program.peak_mib()};
}

inline std::string config_file(const std::string& name) { return SLOPEGAN_SOURCE_DIR "/configs/" + name; }

/// Waits until `file` exists, for at most a minute.
inline bool wait_for(const std::filesystem::path& file) {
  for (int i = 0; i < 6000 && !std::filesystem::exists(file); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return std::filesystem::exists(file);
}

/// A test with a directory of its own, and the smoke configuration with its runs there.
class ProgramTest : public ::testing::Test {
 protected:
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
