#pragma once

#include <string>

namespace slopegan {

/// A JSON Schema (draft 2020-12) of configuration files, for editors: keys, types, ranges, words, defaults and
/// meanings, from the one list of keys. What depends on several keys at once, only loading says. No newline at its end.
std::string config_schema();

}  // namespace slopegan
