#pragma once

#include <string>
#include <vector>

namespace slopegan {

/// A configuration file with one mistake.
struct BadConfig {
  std::string what;  ///< for the messages of tests
  std::string text;
  int line = 1;      ///< where the mistake is
  std::string hint;  ///< what its message must hold: what is allowed, or what was probably meant
};

/// For every key of config/fields.h every kind of mistake that its rule knows, and the mistakes that a key itself can
/// have.
std::vector<BadConfig> bad_configs();

/// Text that is hostile as YAML, whatever the keys.
std::vector<BadConfig> hostile_yaml();

/// A key=value argument with one mistake.
struct BadOverride {
  std::string argument;
  std::string hint;
};

/// The mistakes in the values of all keys as arguments.
std::vector<BadOverride> bad_overrides();

}  // namespace slopegan
