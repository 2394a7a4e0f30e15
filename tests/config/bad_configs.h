#pragma once

#include <string>
#include <vector>

namespace slopegan {

/// A configuration file with one mistake.
struct BadConfig {
  std::string what;  ///< a description for test messages
  std::string text;
  int line = 1;      ///< the line of the mistake
  std::string hint;  ///< a part of the expected message: the allowed values or a suggestion
};

/// Files with one mistake each. For every key in config/fields.h, there are values that violate the rule of the key,
/// and mistakes in the key itself.
std::vector<BadConfig> bad_configs();

/// Hostile YAML that does not depend on any key.
std::vector<BadConfig> hostile_yaml();

/// A key=value argument with one mistake.
struct BadOverride {
  std::string argument;
  std::string hint;
};

/// Malformed arguments, and arguments with invalid values for all keys.
std::vector<BadOverride> bad_overrides();

}  // namespace slopegan
