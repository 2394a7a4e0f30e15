#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "config/config.h"
#include "run/run_info.h"

/// Arguments and results that several commands share.
namespace slopegan {

struct Checkpoint;  // run/checkpoint.h

/// The arguments CONFIG [key=value ...] of most commands.
struct ConfigArguments {
  std::string file;
  std::vector<std::string> overrides;

  void declare(CLI::App& command);

  /// Loads the configuration and logs its warnings. Throws UsageError.
  Config load() const;

  /// As load(), and also checks the constraints of a sweep.
  Config load_for_sweep() const;
};

/// Declares the positional argument RUN|CHECKPOINT.
void declare_checkpoint(CLI::App& command, std::string& path);

/// Loads the checkpoint named by RUN|CHECKPOINT. For a run, loads the newest valid checkpoint and logs a warning for
/// each checkpoint that is skipped. Throws CheckpointError.
Checkpoint find_checkpoint(const std::filesystem::path& path);

/// Writes a result to stdout and flushes it. Throws IoError if that fails.
void print(const std::string& text);

/// The versions of the program and of the libraries it was built with.
Versions program_versions();

}  // namespace slopegan
