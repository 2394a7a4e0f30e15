#pragma once

#include <string>
#include <vector>

#include <CLI/App.hpp>

/// What the command line understands, read off the CLI11 tables that parse it and print its help; shell completion and
/// the manual page are made from this.
namespace slopegan {

/// What a shell offers for a value beside its words.
enum class ValueKind {
  none,
  files,
  directories,
  config_files,  ///< *.yaml, *.yml
  config_keys    ///< key=value arguments
};

/// An option, a flag or a positional argument.
struct ArgumentModel {
  std::vector<std::string> names;  ///< "-v", "--verbose"; of a positional its one name
  std::string placeholder;         ///< "PATH" or "auto|PATH"; empty for a flag
  std::string description;
  std::string default_value;  ///< empty where the description tells, or there is none
  std::string range;          ///< "1 - 64", where there is one
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

/// Of `app` and all below it, but for what its help hides. What a value is follows from its type_name: a part between
/// '|' in small letters is a word to be typed, "key=value" a configuration override; CONFIG is a configuration file,
/// FILE and PATH (or names that end so) are files, RUN, SWEEP, CHECKPOINT and DIR directories, the rest is free.
CommandModel describe_commands(const CLI::App& app);

/// The options that may stand behind `command`: its own and the program's, which fall through to it.
std::vector<ArgumentModel> options_behind(const CommandModel& command, const CommandModel& program);

}  // namespace slopegan
