#pragma once

namespace slopegan {

/// From now on the first SIGINT, SIGTERM or SIGHUP is only noted, for work in progress to end well; a second one ends
/// the process at once with 128 + its number. SIGPIPE is ignored: a reader that goes away is no reason to lose a run.
void install_signal_handlers();

/// The signal that asked to stop, or 0.
int stop_signal();

}  // namespace slopegan
