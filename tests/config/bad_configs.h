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

/// For every key in config/fields.h: every kind of mistake that violates its rule, and mistakes in the key itself.
std::vector<BadConfig> bad_configs();

/// Hostile YAML that does not depend on any key.
std::vector<BadConfig> hostile_yaml();

/// A key=value argument with one mistake.
struct BadOverride {
  std::string argument;
  std::string hint;
};

/// Mistakes in the values of all keys, as command-line arguments.
std::vector<BadOverride> bad_overrides();

}  // namespace slopegan
