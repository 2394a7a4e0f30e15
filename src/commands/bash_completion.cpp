#include "commands/command_model.h"
#include "config/keys.h"
#include "support/text.h"

namespace slopegan {

namespace {

/// The static part of the script. It parses the command line and looks up completions in the generated functions. It
/// splits the line itself, because bash also splits at '='.
constexpr const char* bash_program = R"(
_slopegan() {
  local line=${COMP_LINE:0:COMP_POINT} current='' command='' commands options positionals values pending='' i
  local -a words
  read -ra words <<<"$line"
  if [[ $line != *[[:space:]] ]]; then
    current=${words[-1]}
    unset 'words[-1]'
  fi
  _slopegan_command ''
  local position=0
  for ((i = 1; i < ${#words[@]}; ++i)); do
    if [[ -n $pending ]]; then
      pending=''
    elif [[ ${words[i]} == -* ]]; then
      _slopegan_values "$command" "${words[i]}" && pending=$values
    elif [[ " $commands " == *" ${words[i]} "* ]]; then
      command+=${command:+ }${words[i]}
      _slopegan_command "$command"
    else
      position=$((position + 1))
    fi
  done
  COMPREPLY=()
  if [[ -n $pending ]]; then
    _slopegan_reply "$current" $pending
  elif [[ $current == --*=* ]]; then
    _slopegan_values "$command" "${current%%=*}" && _slopegan_reply_after_equals $values
  elif [[ $current == -* ]]; then
    _slopegan_reply "$current" none $options
  elif [[ -n $commands ]]; then
    _slopegan_reply "$current" none $commands
  else
    _slopegan_positional "$position" $positionals
  fi
}

# Completes positional argument number $1, counted from 0. $2, $3, ... describe the positional arguments of the command
# in order, each as kind,word,... If the last one ends in '*', it applies to all further positional arguments.
_slopegan_positional() {
  local position=$1
  shift
  while ((position > 0 && $# > 1)); do
    shift
    position=$((position - 1))
  done
  local kind=${1:-none}
  if ((position > 0)) && [[ $kind != *'*' ]]; then return; fi
  local -a parts
  IFS=, read -ra parts <<<"${kind%'*'}"
  _slopegan_reply "$current" "${parts[@]}"
}

# Replies with the completions of kind $2 and the words $3, $4, ... that start with $1.
_slopegan_reply() {
  local begin=$1 kind=$2
  shift 2
  local -a found
  case $kind in
    files) compopt -o filenames 2>/dev/null; mapfile -t found < <(compgen -f -- "$begin") ;;
    directories) compopt -o filenames 2>/dev/null; mapfile -t found < <(compgen -d -- "$begin") ;;
    config_files)
      compopt -o filenames 2>/dev/null
      mapfile -t found < <(compgen -d -- "$begin"; compgen -f -X '!*.y*ml' -- "$begin")
      ;;
    config_keys)
      if [[ $begin == *=* ]]; then
        _slopegan_key "${begin%%=*}"
        _slopegan_reply_after_equals $values
        return
      fi
      compopt -o nospace 2>/dev/null
      set -- $_slopegan_keys
      ;;
  esac
  COMPREPLY=("${found[@]}")
  mapfile -t found < <(compgen -W "$*" -- "$begin")
  COMPREPLY+=("${found[@]}")
}

# Like _slopegan_reply, but completes the text after the first '=' of the current word. If '=' is not a word break, bash
# replaces the whole word, so the replies include the text before '='.
_slopegan_reply_after_equals() {
  _slopegan_reply "${current#*=}" "$@"
  if [[ $COMP_WORDBREAKS != *=* ]]; then COMPREPLY=("${COMPREPLY[@]/#/"${current%%=*}="}"); fi
}

complete -F _slopegan slopegan
)";

const char* bash_kind(ValueKind kind) {
  switch (kind) {
    case ValueKind::none:
      return "none";
    case ValueKind::files:
      return "files";
    case ValueKind::directories:
      return "directories";
    case ValueKind::config_files:
      return "config_files";
    case ValueKind::config_keys:
      return "config_keys";
  }
  return "none";
}

std::vector<std::string> bash_value(const ArgumentModel& argument) {
  std::vector<std::string> parts = {bash_kind(argument.kind)};
  parts.insert(parts.end(), argument.words.begin(), argument.words.end());
  return parts;
}

std::string bash_option_names(const CommandModel& command, const CommandModel& program) {
  std::vector<std::string> names;
  for (const auto& option : options_after(command, program)) {
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return join(names, " ");
}

/// The branches of _slopegan_command for `command` at `path` and its subcommands.
std::string bash_command(const CommandModel& command, const std::string& path, const CommandModel& program) {
  std::vector<std::string> names, positionals;
  for (const auto& below : command.commands) names.push_back(below.name);
  for (const auto& positional : command.positionals) {
    positionals.push_back(join(bash_value(positional), ",") + (positional.repeats ? "*" : ""));
  }
  std::string text = "    '" + path + "')\n      commands='" + join(names, " ") + "'\n      options='" +
                     bash_option_names(command, program) + "'\n      positionals='" + join(positionals, " ") +
                     "'\n      ;;\n";
  for (const auto& below : command.commands) {
    text += bash_command(below, path.empty() ? below.name : path + " " + below.name, program);
  }
  return text;
}

/// The branches of _slopegan_values, for options that take a value.
std::string bash_values(const CommandModel& command, const std::string& path) {
  std::string text;
  for (const auto& option : command.options) {
    if (option.is_flag()) continue;
    for (const auto& name : option.names) {
      // Global options are accepted after every command.
      text += "    " + (path.empty() ? "*" : "'" + path + "'") + ":" + name + ") values='" +
              join(bash_value(option), " ") + "' ;;\n";
    }
  }
  for (const auto& below : command.commands)
    text += bash_values(below, path.empty() ? below.name : path + " " + below.name);
  return text;
}

std::string bash_key_values() {
  std::string text;
  for (const auto& key : key_descriptions()) {
    if (key.words.empty() && !key.is_path) continue;
    text += "    " + key.key + ") values='" + (key.is_path ? "files" : "none " + join(key.words, " ")) + "' ;;\n";
  }
  return text;
}

}  // namespace

std::string bash_completion(const CommandModel& program) {
  std::vector<std::string> keys;
  for (const auto& key : key_descriptions()) keys.push_back(key.key + "=");
  return "# bash completion for slopegan, generated by `slopegan completion bash`. To try it: source <(slopegan "
         "completion "
         "bash)\n\n_slopegan_keys='" +
         join(keys, "\n") +
         "'\n\n# Sets the subcommands, options and positionals that may follow command $1.\n_slopegan_command() {\n  "
         "case $1 in\n" +
         bash_command(program, "", program) +
         "  esac\n}\n\n# Sets `values` to the kind and the words for option $2 of command $1. "
         "Fails if the option takes no value.\n_slopegan_values() {\n  case $1:$2 in\n" +
         bash_values(program, "") +
         "    *) return 1 ;;\n  esac\n}\n\n# Sets `values` to the kind and the words for configuration key "
         "$1.\n_slopegan_key() {\n  case $1 in\n" +
         bash_key_values() + "    *) values=none ;;\n  esac\n}\n" + bash_program;
}

}  // namespace slopegan
