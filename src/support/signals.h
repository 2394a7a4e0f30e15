#pragma once

namespace slopegan {

/// From now on the first SIGINT, SIGTERM or SIGHUP is only noted, for work in progress to end well; a second one, more
/// than a tenth of a second later, ends the process at once with 128 + its number. A SIGHUP that was ignored stays so
/// (nohup).
void install_signal_handlers();

/// The signal that asked to stop, or 0.
int stop_signal();

/// Another process was asked to stop by that signal, and this one stops with it. 0 does nothing.
void stop_as_well(int signal);

/// From now on a write to a pipe without a reader, or beyond the largest size of a file, fails instead of ending the
/// process; and where a standard stream is closed, /dev/null takes its place, because the next file that is opened
/// would, and what is meant for a terminal would stand in a checkpoint.
void prepare_streams();

}  // namespace slopegan
