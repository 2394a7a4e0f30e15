#include "bench/busy_processes.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/errors.h"

namespace slopegan {

/// Runs in a child process and keeps a core busy until the child is killed, at the latest when the parent exits.
[[noreturn]] static void occupy_core(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);  // the parent exited before prctl() took effect
  ::setsid();
  for (volatile unsigned count = 0;;) count = count + 1;
}

BusyProcesses::BusyProcesses(int count) {
  const pid_t parent = ::getpid();
  for (int i = 0; i < count; ++i) {
    const pid_t process = ::fork();
    if (process == 0) occupy_core(parent);
    if (process < 0) {
      const std::string reason = std::strerror(errno);
      kill_all();
      throw IoError("cannot start a busy process: " + reason);
    }
    processes_.push_back(process);
  }
}

void BusyProcesses::kill_all() {
  for (const pid_t process : processes_) ::kill(process, SIGKILL);
  for (const pid_t process : processes_) {
    while (::waitpid(process, nullptr, 0) < 0 && errno == EINTR) continue;
  }
  processes_.clear();
}

}  // namespace slopegan
