#include "commands/command_model.h"

#include <algorithm>
#include <functional>
#include <sstream>

#include "support/errors.h"
#include "support/expand_path.h"
#include "support/text.h"

namespace slopegan {

namespace {

std::vector<std::string> split_at(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

std::string text_between(const std::string& text, char open, char close) {
  const auto begin = text.find(open), end = text.rfind(close);
  return begin == std::string::npos || end == std::string::npos ? "" : text.substr(begin + 1, end - begin - 1);
}

bool is_word(const std::string& part) {
  return !part.empty() &&
         std::none_of(part.begin(), part.end(), [](char c) { return (c >= 'A' && c <= 'Z') || c == '='; });
}

ValueKind kind_of(const std::string& part) {
  if (part == "key=value") return ValueKind::config_keys;
  if (part == "CONFIG") return ValueKind::config_files;
  if (part.ends_with("FILE") || part.ends_with("PATH") || part == "NPZ") return ValueKind::files;
  if (part == "RUN" || part == "SWEEP" || part == "CHECKPOINT" || part.ends_with("DIR")) return ValueKind::directories;
  return ValueKind::none;
}

/// Returns a kind that offers the completions of both kinds.
ValueKind combine(ValueKind a, ValueKind b) {
  if (a == b || b == ValueKind::none) return a;
  return a == ValueKind::none ? b : ValueKind::files;
}

/// Parses the type name of an option, which CLI11 writes as "FORMAT:{text,json}" or "N:INT in [1 - 64]".
void describe_value(const CLI::Option& option, ArgumentModel& argument) {
  const std::string type = option.get_type_name();
  const auto colon = type.find(':');
  argument.placeholder = type.substr(0, colon);
  if (colon != std::string::npos) {
    argument.words = split_at(text_between(type.substr(colon), '{', '}'), ',');
    argument.range = text_between(type.substr(colon), '[', ']');
  }
  for (const auto& part : split_at(argument.placeholder, '|')) {
    if (is_word(part)) {
      argument.words.push_back(part);
    } else {
      argument.kind = combine(argument.kind, kind_of(part));
    }
  }
}

ArgumentModel describe_argument(const CLI::Option& option) {
  ArgumentModel argument;
  for (const auto& name : option.get_snames()) argument.names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) argument.names.push_back("--" + name);
  if (argument.names.empty()) argument.names.push_back(option.get_name(true));
  argument.description = option.get_description();
  argument.default_value = option.get_default_str();
  argument.required = option.get_required();
  argument.repeats = option.get_expected_max() > 1;
  if (option.get_items_expected_max() > 0) describe_value(option, argument);
  return argument;
}

}  // namespace

CommandModel describe_commands(const CLI::App& app) {
  CommandModel model;
  model.name = app.get_name();
  model.description = app.get_description();
  model.footer = app.get_footer();
  for (const auto* option : app.get_options([](const CLI::Option* o) { return !o->get_group().empty(); })) {
    (option->get_positional() ? model.positionals : model.options).push_back(describe_argument(*option));
  }
  for (const auto* command : app.get_subcommands([](const CLI::App* a) { return !a->get_group().empty(); })) {
    model.commands.push_back(describe_commands(*command));
  }
  return model;
}

void expand_path_arguments(CLI::App& command) {
  for (auto* option : command.get_options()) {
    const auto argument = describe_argument(*option);
    if (argument.kind == ValueKind::none || argument.kind == ValueKind::config_keys) continue;
    const std::function<std::string(std::string)> expand = [name = argument.names.back()](const std::string& path) {
      try {
        return expand_path(path);
      } catch (const UsageError& error) {
        throw UsageError(name + " " + printable(path) + ": " + error.what());
      }
    };
    option->transform(expand);
  }
  for (auto* subcommand : command.get_subcommands([](CLI::App*) { return true; })) expand_path_arguments(*subcommand);
}

std::vector<ArgumentModel> options_after(const CommandModel& command, const CommandModel& program) {
  std::vector<ArgumentModel> options = command.options;
  for (const auto& option : program.options) {
    const auto is_it = [&](const ArgumentModel& own) { return own.names == option.names; };
    if (std::none_of(command.options.begin(), command.options.end(), is_it)) options.push_back(option);
  }
  return options;
}

}  // namespace slopegan
