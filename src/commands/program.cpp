#include "commands/program.h"

#include <algorithm>
#include <sstream>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <opencv2/core/utility.hpp>

#include "commands/arguments.h"
#include "layers/instruction_set.h"
#include "models/compute.h"
#include "support/text.h"

namespace slopegan {

log::Options LogArguments::options() const {
  log::Options options;
  if (verbose) options.level = log::Level::debug;
  if (quiet) options.level = log::Level::warning;
  if (format == "json") options.style = log::Style::json;
  return options;
}

log::Options log_options_before_parsing(const std::vector<std::string>& arguments) {
  log::Options options;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (arguments[i] == "--log-format=json" || (arguments[i - 1] == "--log-format" && arguments[i] == "json")) {
      options.style = log::Style::json;
    }
  }
  return options;
}

static std::string version_text() {
  const Versions versions = program_versions();
  return "slopegan " + versions.slopegan + (versions.git_commit.empty() ? "" : " (" + versions.git_commit + ")") +
         "\nLibTorch " + versions.libtorch + "\nOpenCV " + versions.opencv + "\n" + versions.compiler;
}

void declare_globals(CLI::App& app, LogArguments& log) {
  app.set_version_flag("--version", version_text(),
                       "Print the versions of slopegan, LibTorch, OpenCV and the compiler");
  auto* verbose = app.add_flag("-v,--verbose", log.verbose, "Also log samples, checkpoints and diagnostics");
  app.add_flag("-q,--quiet", log.quiet, "Log only warnings and errors, and show no progress")->excludes(verbose);
  app.add_option("--log-format", log.format, "Log format: text, or json with one object per line")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT");
  app.require_subcommand(1);
  app.footer("Run 'slopegan COMMAND --help' for the options of a command.");
}

int finish_parsing(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
    std::ostringstream text;
    const int code = app.exit(error, text, text);  // --help, --version and --print-schema
    print(text.str());
    return code;
  }
  std::string message = error.what();
  std::replace(message.begin(), message.end(), '\n', ' ');
  log::error("slopegan: " + printable(message, 1000) + "; see slopegan --help");
  return static_cast<int>(ExitCode::usage);
}

void configure_libraries() {
  cv::setNumThreads(1);
  limit_threads();
  try {
    instruction_set();
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());
  }
}

int report_error(const Error& error) {
  log::status_line("");
  std::istringstream lines(error.what());
  for (std::string line; std::getline(lines, line);) log::error("slopegan: " + line);
  return static_cast<int>(error.code());
}

int report_bug(const std::exception& error) {
  log::status_line("");
  // LibTorch appends a stack trace to the first line.
  std::string first_line;
  std::istringstream lines(error.what());
  std::getline(lines, first_line);
  log::error("slopegan: this is a bug; please report it together with the command and the configuration: " +
             printable(first_line, 1000));
  return static_cast<int>(ExitCode::bug);
}

}  // namespace slopegan
