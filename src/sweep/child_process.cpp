#include "sweep/child_process.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "distributed/rank_environment.h"
#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

/// The environment of this process without the variables that make it a rank.
static std::vector<char*> child_environment() {
  std::vector<char*> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    if (!is_rank_variable(text.substr(0, text.find('=')))) variables.push_back(*variable);
  }
  variables.push_back(nullptr);
  return variables;
}

/// Runs in the child after fork. Only async-signal-safe calls are allowed, because other threads may have held any
/// lock.
[[noreturn]] static void execute(const char* program, char* const* arguments, char* const* environment, int stderr_file,
                                 pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(143);  // the parent died before the line above
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(null, STDIN_FILENO);
  ::dup2(null, STDOUT_FILENO);
  ::dup2(stderr_file, STDERR_FILENO);
  // In its own process group, so that Ctrl-C reaches only the sweep, which forwards it once.
  ::setpgid(0, 0);
  std::signal(SIGTERM, SIG_DFL);  // the sweep stops its arms with it, even if the sweep itself ignores it
  ::execve(program, arguments, environment);
  ::_exit(127);
}

ChildProcess::ChildProcess(const std::vector<std::string>& arguments) : stderr_file_(std::tmpfile()) {
  if (!stderr_file_)
    throw IoError(std::string("cannot create a temporary file for a child's messages: ") + std::strerror(errno));
  const std::string program = "/proc/self/exe";
  std::vector<std::string> owned = {"slopegan"};
  owned.insert(owned.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (auto& argument : owned) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  const auto environment = child_environment();
  const int stderr_file = ::fileno(stderr_file_.get());
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) execute(program.c_str(), pointers.data(), environment.data(), stderr_file, parent);
  if (pid_ < 0) throw IoError(std::string("cannot start a child process: ") + std::strerror(errno));
}

std::optional<int> ChildProcess::poll() {
  if (exit_code_) return exit_code_;
  int status = 0;
  const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
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

}  // namespace slopegan
