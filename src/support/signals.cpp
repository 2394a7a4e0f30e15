#include "support/signals.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <fcntl.h>
#include <initializer_list>
#include <unistd.h>

namespace slopegan {

/// Whoever stops a process group often tells its leader as well (timeout(1) does): the same wish, twice. Nobody presses
/// Ctrl-C twice within this time.
static constexpr std::int64_t same_wish_milliseconds = 100;

static std::atomic<int> noted_signal = 0;
static std::atomic<std::int64_t> noted_at = 0;
static_assert(std::atomic<std::int64_t>::is_always_lock_free, "used in a signal handler");

static std::int64_t now_in_milliseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

static void note_signal(int number) {
  if (noted_signal == 0) {
    noted_at = now_in_milliseconds();
    noted_signal = number;
  } else if (now_in_milliseconds() - noted_at > same_wish_milliseconds) {
    ::_exit(128 + number);
  }
}

void install_signal_handlers() {
  struct sigaction action = {};
  action.sa_handler = note_signal;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before = {};
    ::sigaction(number, nullptr, &before);
    const bool is_nohup = number == SIGHUP && before.sa_handler == SIG_IGN;
    if (!is_nohup) ::sigaction(number, &action, nullptr);
  }
}

int stop_signal() { return noted_signal; }

void stop_as_well(int signal) {
  if (signal != 0 && noted_signal == 0) note_signal(signal);
}

void prepare_streams() {
  for (const int number : {SIGPIPE, SIGXFSZ}) std::signal(number, SIG_IGN);
  for (int descriptor = 0; descriptor <= STDERR_FILENO; ++descriptor) {
    // open takes the lowest descriptor that is free, which is this one.
    if (::fcntl(descriptor, F_GETFD) < 0 && errno == EBADF) ::open("/dev/null", O_RDWR);
  }
}

}  // namespace slopegan
