#pragma once

#include <exception>
#include <string>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Error.hpp>

#include "support/errors.h"
#include "support/log.h"

/// What main does around a command: the global options, and the endings.
namespace slopegan {

struct LogArguments {
  bool verbose = false;
  bool quiet = false;
  std::string format = "text";

  log::Options options() const;
};

/// The log's style for what happens until all arguments are understood: whoever asks for JSON gets nothing else, be the
/// other arguments wrong.
log::Options log_options_before_parsing(const std::vector<std::string>& arguments);

/// --version, -v, -q, --log-format; one subcommand is required.
void declare_globals(CLI::App& app, LogArguments& log);

/// Prints the help or version that was asked for, or what is wrong in one line; returns the exit code.
int finish_parsing(const CLI::App& app, const CLI::ParseError& error);

/// OpenCV leaves the threads to LibTorch.
void prepare_libraries();

/// The user's error: its lines on stderr, its exit code.
int report_error(const Error& error);

/// Ours: the first line of what was thrown, and how to report it.
int report_bug(const std::exception& error);

}  // namespace slopegan
