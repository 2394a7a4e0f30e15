#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

/// A configuration as text: everything here reads back by load_config to the same values.
namespace slopegan {

/// Nested YAML with every key, ends with a newline.
std::string to_yaml(const Config& config);

/// The same with a comment before each key: its meaning and what it allows.
std::string to_yaml_with_help(const Config& config);

/// `text` as a YAML scalar, in quotes where it needs them.
std::string yaml_scalar(const std::string& text);

/// The value of one key as YAML on one line: "0.2", "[0, 1, 2]", "{from: 0.3, to: 0.01, …}". Throws std::out_of_range
/// for a key that does not exist.
std::string value_text(const Config& config, std::string_view key);

struct Difference {
  std::string key;
  std::string before;
  std::string after;
};

/// The keys whose values differ, in the order of the list of keys.
std::vector<Difference> differences(const Config& before, const Config& after);

}  // namespace slopegan
