#pragma once

#include <string>
#include <string_view>
#include <vector>

/// What is known about keys apart from their values.
namespace slopegan {

/// Every dotted key.
const std::vector<std::string>& known_keys();
bool is_known_key(std::string_view key);

/// Whether `name` is the first part of a dotted key: "generator".
bool is_section(std::string_view name);
std::vector<std::string> keys_of_section(std::string_view section);

/// What may stand where `unknown` stands: the keys of its section, or the sections and keys of the top level.
std::vector<std::string> keys_beside(std::string_view unknown);

/// The keys that may have been meant by `unknown`, which may lack its section; or nothing.
std::vector<std::string> similar_keys(std::string_view unknown);

}  // namespace slopegan
