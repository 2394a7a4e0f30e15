#include "sweep/child_process.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <stdexcept>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include "distributed/rank_environment.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/ranges.h"
#include "support/signals.h"
#include "support/text.h"

namespace slopegan {

/// The environment of this process without the variables that make it a rank, plus the variables in `added`.
static std::vector<char*> child_environment(std::vector<std::string>& added) {
  const auto key_of = [](const std::string& variable) { return variable.substr(0, variable.find('=')); };
  std::vector<char*> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string name = key_of(*variable);
    const bool is_replaced = std::ranges::any_of(added, [&](const auto& text) { return key_of(text) == name; });
    if (!is_replaced && !is_rank_variable(name)) variables.push_back(*variable);
  }
  for (auto& variable : added) variables.push_back(variable.data());
  variables.push_back(nullptr);
  return variables;
}

/// Runs in the child after fork. Only async-signal-safe calls are allowed, because other threads of the parent may have
/// held any lock at the time of the fork.
[[noreturn]] static void execute(const char* program, char* const* arguments, char* const* environment, int stderr_file,
                                 pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(143);  // the parent died before the line above
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(null, STDIN_FILENO);
  ::dup2(null, STDOUT_FILENO);
  ::dup2(stderr_file, STDERR_FILENO);
  // The child gets its own process group, so that Ctrl-C reaches only the sweep, which forwards it once.
  ::setpgid(0, 0);
  // The sweep stops its arms with SIGTERM. A child inherits ignored signals, so the default action is restored.
  std::signal(SIGTERM, SIG_DFL);
  ::execve(program, arguments, environment);
  ::_exit(127);
}

/// Opens an unnamed file in the directory given by the variable TMPDIR, which std::tmpfile ignores. Falls back to
/// std::tmpfile. Returns nullptr if there is an error.
static std::FILE* open_temporary_file() {
  std::error_code error;
  std::string name = (std::filesystem::temp_directory_path(error) / "slopegan-XXXXXX").string();
  const int descriptor = error ? -1 : ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor < 0) return std::tmpfile();
  ::unlink(name.c_str());
  std::FILE* file = ::fdopen(descriptor, "w+");
  if (file == nullptr) ::close(descriptor);
  return file;
}

ChildProcess::ChildProcess(const std::vector<std::string>& arguments, const std::vector<std::string>& variables)
    : stderr_file_(open_temporary_file()) {
  if (!stderr_file_)
    throw IoError(std::string("cannot create a temporary file for a child's messages: ") + std::strerror(errno));
  const std::string program = "/proc/self/exe";
  std::vector<std::string> owned = {"slopegan"};
  owned.insert(owned.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (auto& argument : owned) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  auto added = variables;
  const auto environment = child_environment(added);
  const int stderr_file = ::fileno(stderr_file_.get());
  // If this process has inherited an ignored SIGCHLD, the system discards the exit codes of its children.
  std::signal(SIGCHLD, SIG_DFL);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) execute(program.c_str(), pointers.data(), environment.data(), stderr_file, parent);
  if (pid_ < 0) throw IoError(std::string("cannot start a child process: ") + std::strerror(errno));
}

std::optional<int> ChildProcess::poll() {
  if (exit_code_) return exit_code_;
  int status = 0;
  const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
  if (ended < 0 && errno != EINTR) throw std::logic_error(std::string("waitpid: ") + std::strerror(errno));
  if (ended == pid_) exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return exit_code_;
}

void ChildProcess::send(int signal) const {
  if (!exit_code_) ::kill(pid_, signal);
}

std::string ChildProcess::last_stderr_line() const {
  std::fseek(stderr_file_.get(), 0, SEEK_END);
  const long size = std::ftell(stderr_file_.get()), wanted = std::min(size, 4096L);
  std::string text(static_cast<std::size_t>(std::max(wanted, 0L)), '\0');
  std::fseek(stderr_file_.get(), -wanted, SEEK_END);
  text.resize(std::fread(text.data(), 1, text.size(), stderr_file_.get()));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const auto start = text.rfind('\n');
  return printable(start == std::string::npos ? text : text.substr(start + 1), 1000);
}

std::string ChildProcess::stderr_from(std::string_view text) const {
  // The child shares the file offset, which pread does not change.
  std::string written(64 << 10, '\0');
  const auto size = ::pread(::fileno(stderr_file_.get()), written.data(), written.size(), 0);
  written.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  const auto start = written.find(text), end = written.find('\n', start);
  return end == std::string::npos ? "" : printable(written.substr(start, end - start), 1000);
}

int exit_code_for(int code) {
  if (code <= 128) return code;
  static const std::vector<int> faults = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV};
  return static_cast<int>(contains(faults, code - 128) ? ExitCode::bug : ExitCode::io);
}

void suspend_if_requested(const std::vector<const ChildProcess*>& children) {
  if (!SuspendRequests::take()) return;
  for (const auto* child : children) child->send(SIGSTOP);
  log::status_lines({});
  SuspendRequests::suspend();
  for (const auto* child : children) child->send(SIGCONT);
}

}  // namespace slopegan
