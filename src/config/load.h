#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "config/config.h"

namespace slopegan {

struct LoadedConfig {
  Config config;
  std::vector<std::string> warnings;  ///< one sentence each with its place, for the log
  /// Where each key that was set was set: "configs/x.yaml:12", "command line: 'width=8'".
  std::map<std::string, std::string, std::less<>> places;
};

/// The built-in defaults, changed by the YAML `file` (an empty path stands for none), changed by `overrides`
/// ("key=value" with the full dotted key and a YAML value; the last one wins). Every value is in range and validate()
/// holds. Throws UsageError whose text has one line for each error in all of them, each with its place:
/// "configs/x.yaml:12: …", "command line: 'width=8': …".
LoadedConfig load_config(const std::filesystem::path& file, const std::vector<std::string>& overrides = {});

/// The same for a text that something else holds (a checkpoint's configuration); `name` is its place in errors.
Config parse_config(const std::string& text, const std::string& name);

}  // namespace slopegan
