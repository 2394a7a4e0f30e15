#include "support/signals.h"

#include <csignal>
#include <ctime>
#include <initializer_list>
#include <unistd.h>

namespace slopegan {

static volatile std::sig_atomic_t noted_signal = 0;

static volatile std::sig_atomic_t noted_second = 0;

static std::sig_atomic_t now_in_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::sig_atomic_t>(now.tv_sec);
}

static void note_signal(int number) {
  if (noted_signal == 0) {
    noted_second = now_in_seconds();
    noted_signal = number;
  } else if (now_in_seconds() - noted_second >= 2) {
    ::_exit(128 + number);
  }
}

void install_signal_handlers() {
  struct sigaction action = {};
  action.sa_handler = note_signal;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(number, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int stop_signal() { return noted_signal; }

}  // namespace slopegan
