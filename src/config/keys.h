#pragma once

#include <string>
#include <string_view>
#include <vector>

/// The configuration keys themselves, derived from the list in fields.h: names, descriptions, suggested corrections and
/// the JSON Schema.
namespace slopegan {

/// All keys in dotted form, in the order of the printed configuration.
const std::vector<std::string>& known_keys();
bool is_known_key(std::string_view key);

/// Whether `name` is the first part of a dotted key, such as "generator".
bool is_section(std::string_view name);

/// The keys of a section without its name; empty if there is no such section.
std::vector<std::string> keys_of_section(std::string_view section);

/// The names that are valid in place of the key `unknown`: the keys of its section or, if that section does not exist,
/// the top-level sections and keys.
std::vector<std::string> keys_beside(std::string_view unknown);

/// The known keys or the section whose names are closest to `unknown`, even if the section in `unknown` is wrong or
/// missing; empty if no name is close.
std::vector<std::string> similar_keys(std::string_view unknown);

/// A key as described by the manual page and shell completion.
struct KeyDescription {
  std::string key;  ///< dotted
  std::string default_value;
  std::string allowed;
  std::string help;
  std::vector<std::string> words;  ///< the allowed values, if they are names or a few numbers
  bool is_path = false;
};

/// A description of every key, in the order of the printed configuration.
std::vector<KeyDescription> key_descriptions();

/// A JSON Schema (draft 2020-12) for configuration files, for use in editors: the keys with their types, ranges,
/// allowed names, defaults and help texts. It does not express the constraints between keys (see validate.h). The text
/// has no trailing newline.
std::string config_schema();

}  // namespace slopegan
