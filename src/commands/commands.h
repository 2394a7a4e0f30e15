#pragma once

#include <functional>
#include <string>
#include <vector>

#include <CLI/App.hpp>

/// The subcommands, one file each: a set-up function declares the arguments on its CLI11 subcommand and sets the action
/// that main runs once parsing is over. The action calls one module and returns the exit code, or throws
/// slopegan::Error.
namespace slopegan {

/// Takes the program's argv, for the records of what was run.
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
