#pragma once

#include <chrono>

namespace slopegan {

/// Installs handlers for SIGINT, SIGTERM and SIGHUP, and for the signals that batch systems send before a job reaches
/// its time limit: SIGUSR1, SIGUSR2 and SIGXCPU. The first signal is recorded for stop_signal(), so that the process
/// can stop cleanly. A second SIGINT, SIGTERM or SIGHUP that arrives more than 0.1 s after the first makes the process
/// exit immediately with code 128 + the signal's number. For this purpose, a batch system's signal counts neither as
/// the first nor as the second, because SIGTERM regularly follows it, and SIGXCPU is repeated every second. Signals
/// that are already ignored stay ignored, as nohup requires.
void install_signal_handlers();

/// While an object exists, SIGTSTP (Ctrl-Z) is recorded and does not suspend the process. This is for a process with
/// children in other process groups, to which the terminal does not send the signal: the process suspends its children
/// first and then itself. The object has no effect if SIGTSTP is ignored.
class SuspendRequests {
 public:
  SuspendRequests();
  SuspendRequests(const SuspendRequests&) = delete;
  SuspendRequests& operator=(const SuspendRequests&) = delete;
  ~SuspendRequests();

  /// Returns whether SIGTSTP has arrived since the last call.
  static bool take();
  /// Suspends this process until SIGCONT.
  static void suspend();
};

/// Returns the recorded signal. If there is none, returns SIGALRM after the deadline of a StopDeadline, otherwise 0.
int stop_signal();

/// While an object exists, everything that polls stop_signal() stops at `deadline`, as if SIGALRM had arrived. At most
/// one object may exist.
class StopDeadline {
 public:
  explicit StopDeadline(std::chrono::steady_clock::time_point deadline);
  StopDeadline(const StopDeadline&) = delete;
  StopDeadline& operator=(const StopDeadline&) = delete;
  ~StopDeadline();
};

/// Records `signal`, which another rank has received, for stop_signal(), unless this process has already recorded a
/// signal. 0 has no effect. `signal` does not count as the first signal that this process receives: a SIGTERM that
/// follows, for example because the whole job is stopped, must not end the process in the middle of its checkpoint.
void record_stop_signal(int signal);

/// Ignores SIGPIPE and SIGXFSZ, so that a write to a closed pipe or beyond the file size limit returns an error. Opens
/// /dev/null for each standard stream that is closed; otherwise the next file opened would get its descriptor, and
/// output for the terminal would end up in a checkpoint.
void prepare_streams();

}  // namespace slopegan
