#pragma once

#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "config/config.h"

namespace slopegan {

/// CONFIG [key=value …], which most commands begin with.
struct ConfigArguments {
  std::string file;
  std::vector<std::string> overrides;

  void declare(CLI::App& command);

  /// Loads the configuration and logs its warnings. Throws UsageError.
  Config load() const;

  /// The same with what a sweep needs checked as well.
  Config load_for_sweep() const;
};

}  // namespace slopegan
