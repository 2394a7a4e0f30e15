#include "support/signals.h"

#include <csignal>
#include <initializer_list>
#include <unistd.h>

namespace slopegan {

static volatile std::sig_atomic_t noted_signal = 0;

static void note_signal(int number) {
  if (noted_signal != 0) ::_exit(128 + number);
  noted_signal = number;
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

void clear_stop_signal() { noted_signal = 0; }

}  // namespace slopegan
