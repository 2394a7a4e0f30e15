#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace slopegan {

/// As JSON on one line (`indent` < 0) or several; bytes that are no valid UTF-8 become U+FFFD, non-finite numbers null.
std::string json_text(const nlohmann::ordered_json& json, int indent = -1);

/// The text with bytes that are no valid UTF-8 replaced, as it comes back from JSON.
std::string valid_utf8(std::string_view text);

/// The object in `text`, or nothing where it is no valid JSON, nested deeper than 32, or no object.
std::optional<nlohmann::json> parse_json_object(std::string_view text);

}  // namespace slopegan
