#include "support/signals.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <fcntl.h>
#include <initializer_list>
#include <unistd.h>

namespace slopegan {

/// timeout(1) and other programs send a signal both to the process group and to its leader. Signals within this time
/// count as one; nobody presses Ctrl-C twice that fast.
static constexpr std::int64_t duplicate_milliseconds = 100;

static std::atomic<int> recorded_signal = 0;
static std::atomic<std::int64_t> asked_at = 0;  ///< when the first SIGINT, SIGTERM or SIGHUP arrived
static std::atomic<std::int64_t> stop_at = 0;   ///< the deadline of the StopDeadline; 0 if there is none
static std::atomic<bool> suspend_requested = false;
static_assert(std::atomic<std::int64_t>::is_always_lock_free, "used in a signal handler");

static std::int64_t now_in_milliseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

static bool is_from_batch_system(int number) { return number == SIGUSR1 || number == SIGUSR2 || number == SIGXCPU; }

static void handle_signal(int number) {
  if (recorded_signal == 0) recorded_signal = number;
  if (is_from_batch_system(number)) return;
  if (asked_at == 0) {
    asked_at = now_in_milliseconds();
  } else if (now_in_milliseconds() - asked_at > duplicate_milliseconds) {
    ::_exit(128 + number);
  }
}

static bool is_ignored(int number) {
  struct sigaction action = {};
  ::sigaction(number, nullptr, &action);
  return action.sa_handler == SIG_IGN;
}

void install_signal_handlers() {
  struct sigaction action = {};
  action.sa_handler = handle_signal;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU}) {
    if (!is_ignored(number)) ::sigaction(number, &action, nullptr);
  }
}

SuspendRequests::SuspendRequests() {
  if (is_ignored(SIGTSTP)) return;
  struct sigaction action = {};
  action.sa_handler = [](int) { suspend_requested = true; };
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGTSTP, &action, nullptr);
}

SuspendRequests::~SuspendRequests() {
  if (!is_ignored(SIGTSTP)) std::signal(SIGTSTP, SIG_DFL);
}

bool SuspendRequests::take() { return suspend_requested.exchange(false); }

void SuspendRequests::suspend() { ::kill(::getpid(), SIGSTOP); }

int stop_signal() {
  if (const int signal = recorded_signal) return signal;
  const std::int64_t at = stop_at;
  return at != 0 && now_in_milliseconds() >= at ? SIGALRM : 0;
}

StopDeadline::StopDeadline(std::chrono::steady_clock::time_point deadline) {
  const auto since_boot = std::chrono::duration_cast<std::chrono::milliseconds>(deadline.time_since_epoch());
  stop_at = std::max<std::int64_t>(1, since_boot.count());  // steady_clock is CLOCK_MONOTONIC
}

StopDeadline::~StopDeadline() { stop_at = 0; }

void record_stop_signal(int signal) {
  int none = 0;  // a signal that arrives now must not be overwritten
  recorded_signal.compare_exchange_strong(none, signal);
}

void prepare_streams() {
  for (const int number : {SIGPIPE, SIGXFSZ}) std::signal(number, SIG_IGN);
  for (int descriptor = 0; descriptor <= STDERR_FILENO; ++descriptor) {
    // open returns the lowest free descriptor, which is this one.
    if (::fcntl(descriptor, F_GETFD) < 0 && errno == EBADF) ::open("/dev/null", O_RDWR);
  }
}

}  // namespace slopegan
