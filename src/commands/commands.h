#pragma once

#include <functional>
#include <string>
#include <vector>

#include <CLI/App.hpp>

/// The subcommands, with one file each. A setup function declares the arguments of its CLI11 subcommand and sets the
/// action that main runs after parsing. The action calls one module and returns the exit code, or throws
/// slopegan::Error.
namespace slopegan {

/// The action of a command. Its argument is the program's argv, which run.json records.
using Action = std::function<int(const std::vector<std::string>&)>;

void setup_train(CLI::App& command, Action& action);
void setup_sweep(CLI::App& command, Action& action);
void setup_grid(CLI::App& command, Action& action);
void setup_generate(CLI::App& command, Action& action);
void setup_export(CLI::App& command, Action& action);
void setup_import(CLI::App& command, Action& action);
void setup_report(CLI::App& command, Action& action);
void setup_evaluate(CLI::App& command, Action& action);
void setup_data(CLI::App& command, Action& action);
void setup_diagnose(CLI::App& command, Action& action);
void setup_bench(CLI::App& command, Action& action);
void setup_demo(CLI::App& command, Action& action);
void setup_completion(CLI::App& command, Action& action);
void setup_man(CLI::App& command, Action& action);

}  // namespace slopegan
