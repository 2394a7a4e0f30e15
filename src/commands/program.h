#pragma once

#include <exception>
#include <string>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Error.hpp>

#include "support/errors.h"
#include "support/log.h"

/// The parts of the command line that all commands share: global options and error reporting.
namespace slopegan {

struct LogArguments {
  bool verbose = false;
  bool quiet = false;
  std::string format = "text";

  log::Options options() const;
};

/// The log options that apply until the arguments have been parsed. They honour --log-format json, so that errors in
/// the arguments are logged as JSON too.
log::Options log_options_before_parsing(const std::vector<std::string>& arguments);

/// Declares --version, -v, -q and --log-format, and requires one subcommand.
void declare_globals(CLI::App& app, LogArguments& log);

/// Prints the requested help, version or schema, or logs the error on one line. `arguments` is the command line,
/// including the name of the program. Returns the exit code.
int finish_parsing(const CLI::App& app, const CLI::ParseError& error, const std::vector<std::string>& arguments);

/// Limits OpenCV to one thread, because LibTorch does the threading. Limits LibTorch to the cores that the process may
/// use (limit_threads), because some commands never call apply_compute. Configures the choice of kernels
/// (configure_kernels) and the memory of tensors (keep_tensor_memory). Throws UsageError if SLOPEGAN_CPU or
/// SLOPEGAN_KERNELS is invalid.
void configure_libraries();

/// Logs a user error and returns its exit code.
int report_error(const Error& error);

/// Logs a bug in the program: the first line of the exception's message and how to report the bug. Returns
/// ExitCode::bug.
int report_bug(const std::exception& error);

}  // namespace slopegan
