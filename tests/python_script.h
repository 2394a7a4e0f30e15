#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/wait.h>
#include <vector>

namespace slopegan::testing {

struct ScriptResult {
  int code = 0;
  std::string out, err;
};

/// What a script that lacks a package ends with, so that its test is skipped.
inline constexpr int script_skipped = 77;

/// Runs a script of scripts/ with the Python of .venv; `scratch` is for its input and output. Arguments are quoted for
/// the shell.
inline ScriptResult run_script(const std::string& name, const std::vector<std::string>& arguments,
                               const std::string& input, const std::filesystem::path& scratch) {
  const auto quoted = [](const std::string& text) { return "'" + text + "'"; };
  const auto in = scratch / "script.in", out = scratch / "script.out", err = scratch / "script.err";
  std::ofstream(in, std::ios::binary) << input;
  std::string command =
      quoted(SLOPEGAN_SOURCE_DIR "/.venv/bin/python") + " -B " + quoted(SLOPEGAN_SOURCE_DIR "/scripts/" + name);
  for (const auto& argument : arguments) command += " " + quoted(argument);
  command += " <" + quoted(in) + " >" + quoted(out) + " 2>" + quoted(err);
  const int status = std::system(command.c_str());
  const auto text_of = [](const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  };
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text_of(out), text_of(err)};
}

}  // namespace slopegan::testing
