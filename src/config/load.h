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
  std::vector<std::string> warnings;  ///< for the log, each with its location
  /// The location of every key in the file and the overrides: "configs/x.yaml:12", "command line: 'seed=8'".
  std::map<std::string, std::string, std::less<>> places;

  /// Whether one of keys_since_0_9 is set. These keys have no effect if data.as_in_0_9 is set.
  bool sets_reading_of_data() const;
};

/// Applies the YAML `file` (none if the path is empty) and then `overrides` to the built-in defaults. An override is
/// "key=value" with the full dotted key and a YAML value; the last one wins. In the result, every value is in range and
/// validate() finds no error. Throws UsageError with one line per error in the file and the overrides, each with its
/// location: "configs/x.yaml:12: …", "command line: 'seed=8': …".
///
/// Paths are expanded by expand_path.
LoadedConfig load_config(const std::filesystem::path& file, const std::vector<std::string>& overrides = {});

/// Like load_config, but also checks the constraints on a sweep (validate_sweep). If validate() finds errors, these
/// constraints are checked only once the errors are corrected.
LoadedConfig load_config_for_sweep(const std::filesystem::path& file, const std::vector<std::string>& overrides = {});

/// Like load_config, but for a file that to_yaml wrote: the config.yaml of a run or the sweep.yaml of a sweep. Paths
/// are read by expand_stored_path. If the file contains none of keys_since_0_9, the run or sweep is from version 0.9,
/// and data.as_in_0_9 is set.
LoadedConfig load_stored_config(const std::filesystem::path& file, const std::vector<std::string>& overrides = {});

/// Like load_stored_config, but reads the configuration from `text`, for example from a checkpoint. Errors give `name`
/// as the location.
Config parse_config(const std::string& text, const std::string& name);

}  // namespace slopegan
