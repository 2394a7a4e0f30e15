#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

/// Configurations as text. load_config and load_stored_config restore the same values from the text.
namespace slopegan {

/// Nested YAML with every key and a trailing newline. Omits keys_since_0_9 if config.data.as_in_0_9 is set; such text
/// must be read back with load_stored_config.
std::string to_yaml(const Config& config);

/// Like to_yaml, but with the help and the allowed values as comments before each key.
std::string to_yaml_with_help(const Config& config);

/// The settings of a condition as the entries of a YAML map: "generator.norm: none, loss.r1: 1".
std::string settings_text(const std::vector<Setting>& settings);

/// `text` as a YAML scalar, quoted if necessary.
std::string yaml_scalar(const std::string& text);

/// The value of one key as a line of YAML: "0.2", "[0, 1, 2]", "{from: 0.3, to: 0.01, …}". Throws std::out_of_range if
/// the key is unknown. The value of a key that to_yaml omits is "as in 0.9".
std::string value_text(const Config& config, std::string_view key);

struct Difference {
  std::string key;
  std::string before;
  std::string after;
};

/// The keys whose values differ, in the order of the printed configuration.
std::vector<Difference> differences(const Config& before, const Config& after);

}  // namespace slopegan
