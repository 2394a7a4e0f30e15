#include "commands/program.h"

#include <algorithm>
#include <iterator>
#include <sstream>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <opencv2/core/utility.hpp>

#include "commands/arguments.h"
#include "commands/command_model.h"
#include "config/keys.h"
#include "layers/instruction_set.h"
#include "models/compute.h"
#include "models/measured_kernels.h"
#include "models/tensor_memory.h"
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

namespace {

/// The last command on the command line, such as `bench step`, or the program itself if there is none.
const CLI::App& chosen_command(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? app : chosen_command(*chosen.front());
}

/// `word` without leading hyphens and without "=value".
std::string option_name(const std::string& word) {
  const auto begin = word.find_first_not_of('-');
  return begin == std::string::npos ? "" : word.substr(begin, word.find('=') - begin);
}

/// The value that follows the option `word`, or "..." if there is none.
std::string value_of_option(const std::string& word, const std::vector<std::string>& arguments) {
  if (const auto equals = word.find('='); equals != std::string::npos) return word.substr(equals + 1);
  const auto found = std::ranges::find(arguments, word);
  const bool is_last = found == arguments.end() || std::next(found) == arguments.end();
  const std::string value = is_last ? "" : *std::next(found);
  return value.empty() || value.starts_with('-') || value.find('=') != std::string::npos ? "..." : value;
}

/// What the user may have meant by an unknown option: an option of the command with a similar name or, if the command
/// takes configuration keys, key=value arguments.
std::vector<std::string> similar_arguments(const CommandModel& command, const CommandModel& program,
                                           const std::string& word, const std::vector<std::string>& arguments) {
  std::vector<std::string> names;
  for (const auto& option : options_after(command, program)) {
    for (const auto& name : option.names) {
      if (name.starts_with("--")) names.push_back(name.substr(2));
    }
  }
  std::string unknown = option_name(word);
  if (const auto similar = nearest(unknown, names); !similar.empty()) return {"--" + similar};
  const bool takes_keys = std::ranges::any_of(
      command.positionals, [](const ArgumentModel& argument) { return argument.kind == ValueKind::config_keys; });
  if (!takes_keys) return {};
  std::ranges::replace(unknown, '-', '_');
  std::vector<std::string> keys = is_known_key(unknown) ? std::vector{unknown} : similar_keys(unknown);
  std::erase_if(keys, [](const std::string& key) { return !is_known_key(key); });  // sections
  for (auto& key : keys) key += "=" + value_of_option(word, arguments);
  return keys;
}

/// Describes an argument that neither the program nor the chosen command takes, and suggests what was meant.
std::string describe_unexpected(const CLI::App& app, const std::string& word,
                                const std::vector<std::string>& arguments) {
  const CommandModel program = describe_commands(app), command = describe_commands(chosen_command(app));
  if (!option_name(word).empty() && word.starts_with('-')) {
    const auto similar = similar_arguments(command, program, word, arguments);
    return "unknown option: " + word + (similar.empty() ? "" : "; did you mean " + join(similar, " or ") + "?");
  }
  if (command.commands.empty()) return "unexpected argument: " + word;
  std::vector<std::string> names;
  for (const auto& subcommand : command.commands) names.push_back(subcommand.name);
  const auto similar = nearest(word, names);
  return "unknown command: " + word + "; " +
         (similar.empty() ? "allowed: " + join(names, ", ") : "did you mean " + similar + "?");
}

/// The message for an error in the command line. If a command or option is mistyped, CLI11 may complain about an
/// argument that is missing as a result, so an unexpected argument is reported instead.
std::string parse_error_text(const CLI::App& app, const CLI::ParseError& error,
                             const std::vector<std::string>& arguments) {
  const auto code = static_cast<CLI::ExitCodes>(error.get_exit_code());
  if (code == CLI::ExitCodes::RequiredError || code == CLI::ExitCodes::ExtrasError) {
    auto unexpected = app.remaining(/*recurse=*/true);
    std::erase(unexpected, "--");
    if (!unexpected.empty()) return describe_unexpected(app, unexpected.front(), arguments);
  }
  std::string message = error.what();
  std::ranges::replace(message, '\n', ' ');
  return message;
}

}  // namespace

int finish_parsing(const CLI::App& app, const CLI::ParseError& error, const std::vector<std::string>& arguments) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
    std::ostringstream text;
    const int code = app.exit(error, text, text);  // --help, --version and --print-schema
    print(text.str());
    return code;
  }
  log::error("slopegan: " + printable(parse_error_text(app, error, arguments), 1000) + "; see slopegan --help");
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
  configure_kernels();
  keep_tensor_memory();
}

int report_error(const Error& error) {
  log::status_line("");
  std::istringstream lines(error.what());
  for (std::string line; std::getline(lines, line);) log::error("slopegan: " + line);
  return static_cast<int>(error.code());
}

int report_bug(const std::exception& error) {
  log::status_line("");
  // In LibTorch's messages, a stack trace follows the first line.
  std::string first_line;
  std::istringstream lines(error.what());
  std::getline(lines, first_line);
  log::error("slopegan: internal error: " + printable(first_line, 1000) +
             "; this is a bug, so please report it together with the command and the configuration");
  return static_cast<int>(ExitCode::bug);
}

}  // namespace slopegan
