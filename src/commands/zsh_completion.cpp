#include <algorithm>

#include "commands/command_model.h"
#include "config/keys.h"
#include "support/text.h"

namespace slopegan {

namespace {

std::string zsh_escaped(std::string_view text, std::string_view specials) {
  std::string escaped;
  for (const char c : text) {
    if (specials.find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string zsh_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

const char* zsh_action(ValueKind kind) {
  switch (kind) {
    case ValueKind::none:
      return " ";
    case ValueKind::files:
      return "_files";
    case ValueKind::directories:
      return "_files -/";
    case ValueKind::config_files:
      return "_files -g \"*.y*ml\"";
    case ValueKind::config_keys:
      return "_slopegan_keys";
  }
  return " ";
}

/// The description of a value in the syntax of zsh's _arguments: ":PATH:_files".
std::string zsh_value(const ArgumentModel& argument) {
  const std::string begin = ":" + zsh_escaped(argument.placeholder, "\\:") + ":";
  if (argument.words.empty()) return begin + zsh_action(argument.kind);
  if (argument.kind == ValueKind::none) return begin + "(" + join(argument.words, " ") + ")";
  return begin + " _slopegan_files_or " + join(argument.words, " ");
}

std::string zsh_option(const ArgumentModel& option) {
  std::string rest = "[" + zsh_escaped(option.description, "\\[]:") + "]";
  if (!option.is_flag()) rest += zsh_value(option);
  std::vector<std::string> names = option.names;
  for (auto& name : names) {
    if (!option.is_flag() && name.starts_with("--")) name += "=";  // the value may follow '=' or a space
  }
  if (names.size() == 1) return zsh_quoted(names.front() + rest);
  return "'(" + join(option.names, " ") + ")'{" + join(names, ",") + "}" + zsh_quoted(rest);
}

std::string zsh_function_name(const std::string& path) {
  std::string name = "_slopegan_in";
  for (const char c : path) name += c == ' ' || c == '-' ? '_' : c;
  return name;
}

/// The specifications of options and positional arguments for _arguments, one per line.
std::string zsh_arguments(const CommandModel& command, const CommandModel& program) {
  std::vector<std::string> specs;
  for (const auto& option : options_after(command, program)) specs.push_back(zsh_option(option));
  for (std::size_t i = 0; i < command.positionals.size(); ++i) {
    const auto& positional = command.positionals[i];
    specs.push_back(zsh_quoted((positional.repeats ? "*" : std::to_string(i + 1)) + zsh_value(positional)));
  }
  if (!command.commands.empty()) {
    specs.emplace_back("'1:command:->command'");
    specs.emplace_back("'*::argument:->argument'");
  }
  return "    " + join(specs, " \\\n    ") + "\n";
}

/// The functions that complete the arguments of `command` at `path` and of its subcommands.
std::string zsh_functions(const CommandModel& command, const std::string& path, const CommandModel& program) {
  const std::string name = path.empty() ? "_slopegan" : zsh_function_name(" " + path);
  std::string text = name +
                     "() {\n  local context state state_descr line\n  typeset -A opt_args\n  _arguments -C -s -S \\\n" +
                     zsh_arguments(command, program);
  if (command.commands.empty()) return text + "}\n\n";
  std::string described, branches, functions;
  for (const auto& below : command.commands) {
    const std::string below_path = path.empty() ? below.name : path + " " + below.name;
    described += "        " + zsh_quoted(zsh_escaped(below.name, "\\:") + ":" + below.description) + "\n";
    branches += "        " + below.name + ") " + zsh_function_name(" " + below_path) + " ;;\n";
    functions += zsh_functions(below, below_path, program);
  }
  return functions + text + "  case $state in\n    command)\n      local -a commands=(\n" + described +
         "      )\n      _describe -t commands command commands\n      ;;\n    argument)\n      case $words[1] in\n" +
         branches + "      esac\n      ;;\n  esac\n}\n\n";
}

std::string zsh_key_function() {
  std::string values, keys;
  for (const auto& key : key_descriptions()) {
    keys += "    " + zsh_quoted(key.key + ":" + key.help) + "\n";
    if (key.is_path) values += "      " + key.key + ") _files ;;\n";
    if (!key.words.empty()) values += "      " + key.key + ") compadd -- " + join(key.words, " ") + " ;;\n";
  }
  return "_slopegan_files_or() {\n  compadd -- \"$@\"\n  _files\n}\n\n_slopegan_keys() {\n  if [[ $PREFIX == *=* ]]; "
         "then\n    local key=${PREFIX%%=*}\n    compset -P 1 '*='\n"
         "    case $key in\n" +
         values + "    esac\n    return\n  fi\n  local -a keys=(\n" + keys +
         "  )\n  _describe -t keys 'configuration key' keys -S =\n}\n\n";
}

}  // namespace

std::string zsh_completion(const CommandModel& program) {
  return "#compdef slopegan\n# zsh completion for slopegan, generated by `slopegan completion zsh`. To try it: "
         "source <(slopegan completion zsh)\n\n" +
         zsh_key_function() + zsh_functions(program, "", program) +
         "if [[ ${funcstack[1]} == _slopegan ]]; then\n  _slopegan \"$@\"\nelse\n  compdef _slopegan slopegan\nfi\n";
}

}  // namespace slopegan
