#pragma once

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <poll.h>
#include <pty.h>
#include <stdexcept>
#include <string>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

namespace slopegan::testing {

/// A program on a pseudo-terminal. Only read_until() and wait() read its output; if the program fills the buffer of the
/// terminal, it blocks until one of them is called.
class Terminal {
 public:
  struct Size {
    unsigned short columns = 100, rows = 30;
  };

  /// Values of environment variables, by name; std::nullopt removes the variable.
  using Environment = std::map<std::string, std::optional<std::string>>;

  /// The program inherits the environment of the test, with TERM=xterm and without NO_COLOR, modified by `environment`.
  Terminal(const std::vector<std::string>& arguments, const Environment& environment, const Size& size) {
    std::vector<std::string> owned = arguments;
    std::vector<char*> pointers;
    for (auto& argument : owned) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    winsize window{};
    window.ws_col = size.columns;
    window.ws_row = size.rows;
    pid_ = ::forkpty(&master_, nullptr, nullptr, &window);
    if (pid_ < 0) throw std::runtime_error("forkpty");  // kill() with process -1 would signal every process
    if (pid_ == 0) {
      // If a shell runs the tests in the background, they ignore SIGINT, and the program would inherit this setting.
      for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::signal(signal, SIG_DFL);
      ::unsetenv("NO_COLOR");
      ::setenv("TERM", "xterm", 1);
      for (const auto& [name, value] : environment) {
        value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
      }
      ::execvp(pointers[0], pointers.data());
      ::_exit(127);
    }
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    if (!ended_) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(master_);
  }

  void send(const std::string& keys) const {
    if (::write(master_, keys.data(), keys.size()) != static_cast<ssize_t>(keys.size())) ADD_FAILURE() << "write";
  }

  void resize(const Size& size) const {
    winsize window{};
    window.ws_col = size.columns;
    window.ws_row = size.rows;
    if (::ioctl(master_, TIOCSWINSZ, &window) != 0) ADD_FAILURE() << "TIOCSWINSZ";
  }

  /// Reads until `text` appears after the end of the previous match. Returns false if the program ends first, or after
  /// 30 s.
  bool read_until(const std::string& text) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (output_.find(text, searched_) == std::string::npos) {
      if (std::chrono::steady_clock::now() > end || !read_more(1000)) return false;
    }
    searched_ = output_.find(text, searched_) + text.size();
    return true;
  }

  /// Reads until the program ends. Kills the program if it prints nothing for a minute. Returns its exit code, or
  /// -signal if a signal killed it.
  int wait() {
    for (std::size_t before = 0; read_more(60'000); before = output_.size()) {
      if (output_.size() == before) ::kill(pid_, SIGKILL);
    }
    int status = 0;
    ::waitpid(pid_, &status, 0);
    ended_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  /// Returns all output that was read so far, including control sequences.
  const std::string& output() const { return output_; }

 private:
  /// Reads the available output. Returns false if the program has ended, and true otherwise, including after a timeout.
  bool read_more(int milliseconds) {
    pollfd descriptor{master_, POLLIN, 0};
    if (::poll(&descriptor, 1, milliseconds) == 0) return true;
    char buffer[4096];
    const auto count = ::read(master_, buffer, sizeof buffer);
    if (count <= 0) return false;  // EIO: no process has the terminal open
    output_.append(buffer, static_cast<std::size_t>(count));
    return true;
  }

  int master_ = -1;
  pid_t pid_ = -1;
  std::string output_;
  std::size_t searched_ = 0;
  bool ended_ = false;
};

}  // namespace slopegan::testing
