#pragma once

namespace slopegan {

/// Installs handlers for SIGINT, SIGTERM and SIGHUP. The first signal is recorded for stop_signal(), so that the
/// process can stop cleanly; a second one, at least 0.1 s later, makes the process exit immediately with code 128 + the
/// signal's number. An ignored SIGHUP stays ignored (nohup).
void install_signal_handlers();

/// The recorded signal, or 0.
int stop_signal();

/// Records `signal` as if this process had received it, because another rank did. 0 has no effect.
void record_stop_signal(int signal);

/// Ignores SIGPIPE and SIGXFSZ, so that a write to a closed pipe or beyond the file size limit returns an error. Opens
/// /dev/null for each standard stream that is closed; otherwise the next file opened would get its descriptor, and
/// output for the terminal would end up in a checkpoint.
void prepare_streams();

}  // namespace slopegan
