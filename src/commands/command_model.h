#pragma once

#include <string>
#include <vector>

#include <CLI/App.hpp>

/// A description of the command line, derived from the CLI11 objects that parse it and print its help. The shell
/// completion and the manual page are generated from this description.
namespace slopegan {

/// The kind of completions that are offered for a value, in addition to ArgumentModel::words.
enum class ValueKind {
  none,
  files,
  directories,
  config_files,  ///< *.yaml, *.yml
  config_keys    ///< key=value arguments
};

/// An option, a flag or a positional argument.
struct ArgumentModel {
  std::vector<std::string> names;  ///< "-v", "--verbose"; a positional argument has a single name
  std::string placeholder;         ///< "PATH" or "auto|PATH"; empty for a flag
  std::string description;
  std::string default_value;  ///< empty if there is none or the description states it
  std::string range;          ///< "1 - 64", or empty
  std::vector<std::string> words;
  ValueKind kind = ValueKind::none;
  bool required = false, repeats = false;

  bool is_flag() const { return placeholder.empty(); }
};

struct CommandModel {
  std::string name, description, footer;
  std::vector<ArgumentModel> options, positionals;
  std::vector<CommandModel> commands;
};

/// Describes `app` and its subcommands, except hidden ones. The parts of an option's type_name, separated by '|',
/// define its completions: a lower-case part stands for a literal word, "key=value" for a configuration override,
/// CONFIG for a configuration file, FILE, PATH (both also as a suffix) and NPZ for a file, and RUN, SWEEP, CHECKPOINT
/// and DIR (the last one also as a suffix) for a directory. Other parts stand for free text.
CommandModel describe_commands(const CLI::App& app);

/// Makes `command` and its subcommands expand ~ and environment variables in path arguments when they are parsed. The
/// shell may have left them unexpanded: ~ in quotes or after =, and variables in single quotes. Parsing throws
/// UsageError if a variable is unset or empty.
void expand_path_arguments(CLI::App& command);

/// The options that may follow `command`: its own and the global ones.
std::vector<ArgumentModel> options_after(const CommandModel& command, const CommandModel& program);

/// A completion script for bash 4.4 or newer. It completes commands, options, configuration files and keys, and the
/// values of options and keys. Global options are offered after every command.
std::string bash_completion(const CommandModel& program);

/// A completion script for zsh 5, to be installed as _slopegan in a directory in $fpath or to be sourced after
/// compinit.
std::string zsh_completion(const CommandModel& program);

/// slopegan(1) in roff with the man(7) macros: commands, options, configuration keys, exit codes, environment, files.
std::string man_page(const CommandModel& program, const std::string& version);

}  // namespace slopegan
