#pragma once

#include <cstdio>
#include <cstdlib>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "terminal.h"

/// Functions that read the output of the real program and of real shells.
namespace slopegan::testing {

inline bool is_installed(const std::string& program) {
  return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
}

inline std::string output_of(const std::string& shell_command) {
  std::FILE* pipe = ::popen(shell_command.c_str(), "r");
  std::string text;
  char buffer[4096];
  for (std::size_t count = 0; (count = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, count);
  EXPECT_EQ(::pclose(pipe), 0) << shell_command;
  return text;
}

/// Returns the non-empty lines of a text.
inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

/// A command, as described in the --help output of the real program.
struct LiveCommand {
  std::string path;  ///< such as "", "train" or "demo dying-relu"
  std::set<std::string> options, commands;
};

inline LiveCommand live_command(const std::string& path) {
  LiveCommand command{path, {}, {}};
  bool in_commands = false;
  for (const auto& line : lines_of(output_of(std::string(SLOPEGAN_BINARY) + " " + path + " --help"))) {
    in_commands = line == "Subcommands:" || (in_commands && line.starts_with(" "));
    std::smatch found;
    static const std::regex option(R"(^  (-\w|--[\w-]+)(,(--[\w-]+))?( .*)?$)"), name(R"(^  ([\w-]+)  .*$)");
    if (std::regex_match(line, found, option)) {
      command.options.insert(found[1]);
      if (found[3].matched) command.options.insert(found[3]);
    } else if (in_commands && std::regex_match(line, found, name)) {
      command.commands.insert(found[1]);
    }
  }
  return command;
}

/// Returns the program itself, followed by all its commands and their subcommands.
inline std::vector<LiveCommand> live_commands() {
  std::vector<LiveCommand> all = {live_command("")};
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const auto& name : std::set<std::string>(all[i].commands)) {
      all.push_back(live_command(all[i].path.empty() ? name : all[i].path + " " + name));
    }
  }
  return all;
}

/// Returns the keys in the output of `train --print-config`.
inline std::vector<std::string> keys_of(const std::string& printed_config) {
  std::vector<std::string> keys;
  std::string section;
  for (const auto& line : lines_of(printed_config)) {
    const auto colon = line.find(':');
    if (line.find('#') != std::string::npos || colon == std::string::npos) continue;
    if (line.starts_with("  ")) {
      keys.push_back(section + "." + line.substr(2, colon - 2));
    } else if (colon + 1 == line.size()) {
      section = line.substr(0, colon);
    } else {
      keys.push_back(line.substr(0, colon));
    }
  }
  return keys;
}

/// Returns the completions that bash offers when TAB is pressed after `line`. Bash runs in `folder`, sources the file
/// slopegan.bash there, and then runs `before`.
inline std::vector<std::string> offered_by_bash(const std::string& folder, const std::string& line,
                                                const std::string& before = "true") {
  return lines_of(output_of(
      "cd '" + folder + "' && bash -c '. ./slopegan.bash; " + before +
      "; COMP_LINE=\"$1\"; COMP_POINT=${#1}; _slopegan; printf \"%s\\n\" \"${COMPREPLY[@]}\"' - '" + line + "'"));
}

/// An interactive zsh in `folder`, which contains _slopegan.
class Zsh {
 public:
  explicit Zsh(const std::string& folder)
      : terminal_({"zsh", "-f", "-i"}, {{"TERM", "dumb"}}, {.columns = 250, .rows = 200}) {
    terminal_.send("cd '" + folder +
                   "'; fpath=($PWD $fpath); LISTMAX=1000; autoload -U compinit; compinit -u -D; PS1='go''> '\n");
    EXPECT_TRUE(terminal_.read_until("go> ")) << terminal_.output();
  }

  /// Returns the text that zsh shows when TAB is pressed after `line`. The line is not run.
  std::string shown_for(const std::string& line) {
    const std::size_t before = terminal_.output().size();
    // Nothing marks the end of the completion list, so wait for the output of the next command.
    terminal_.send(line + "\t\x15print fin''ished\n");
    EXPECT_TRUE(terminal_.read_until("finished") && terminal_.read_until("go> ")) << terminal_.output();
    return terminal_.output().substr(before);
  }

 private:
  Terminal terminal_;
};

}  // namespace slopegan::testing
