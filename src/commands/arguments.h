#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "config/load.h"
#include "images/picture_style.h"
#include "run/run_info.h"

/// Arguments and functions that several commands share.
namespace slopegan {

struct Checkpoint;  // run/checkpoint.h

/// The arguments CONFIG [key=value ...] of most commands.
struct ConfigArguments {
  std::string file;
  std::vector<std::string> overrides;

  void declare(CLI::App& command);

  /// Loads the configuration and logs its warnings. Throws UsageError.
  Config load() const { return load_with_places().config; }
  /// Like load(), but also returns the location of each key that the user set.
  LoadedConfig load_with_places() const;

  /// Like load_with_places(), but for a configuration file that this program wrote.
  LoadedConfig load_stored() const;

  /// Like load_with_places(), but also checks the constraints on a sweep.
  LoadedConfig load_for_sweep() const;
};

/// Converts an integer in the notation of configuration files (10, 010, 1e3) to plain decimal digits. Without this,
/// CLI11 would read 010 as an octal and 0x10 as a hexadecimal number. Throws CLI::ValidationError.
std::string decimal_integer(const std::string& text);

/// Declares an option whose value is an integer. Every option that takes an integer must be declared this way.
template <class Integer>
CLI::Option* add_integer(CLI::App& command, const std::string& name, Integer& value, const std::string& help) {
  return command.add_option(name, value, help)->transform(decimal_integer);
}

/// Declares the positional argument RUN|CHECKPOINT.
void declare_checkpoint(CLI::App& command, std::string& path);

/// Declares --data PATH, for commands that load a run's data.
void declare_data(CLI::App& command, std::string& data);

/// Loads the checkpoint at `path`. If `path` is a run, loads its newest valid checkpoint and logs a warning for each
/// checkpoint that is skipped. If `data` is not empty, it replaces data.path in the checkpoint's configuration. Throws
/// CheckpointError.
Checkpoint find_checkpoint(const std::filesystem::path& path, const std::string& data = {});

/// Declares --dark and --pixel-ratio N, for commands that draw pictures with text.
void declare_picture_style(CLI::App& command, PictureStyle& style);

/// Writes a result to stdout and flushes stdout. Throws IoError if that fails, unless the reader has closed the pipe.
void print(const std::string& text);

/// The versions of the program and of the libraries that it was built with.
Versions program_versions();

}  // namespace slopegan
