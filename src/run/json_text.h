#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace slopegan {

/// As JSON on one line (`indent` < 0) or several; bytes that are no valid UTF-8 become U+FFFD, non-finite numbers null.
std::string json_text(const nlohmann::ordered_json& json, int indent = -1);

/// The text with bytes that are no valid UTF-8 replaced, as it comes back from JSON.
std::string valid_utf8(std::string_view text);

/// The whole number in `value`. Throws WrongJsonType for anything else, also fractions, truth values and numbers that
/// no int64 holds, which JSON's own conversions would turn into some number.
std::int64_t whole_number(const nlohmann::json& value);

/// The number in `value`; null, which stands for one that is not finite, is NaN. Throws WrongJsonType.
double number_or_nan(const nlohmann::json& value);

struct WrongJsonType : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The object in `text`, or nothing where it is no valid JSON, nested deeper than 32, or no object.
std::optional<nlohmann::json> parse_json_object(std::string_view text);

}  // namespace slopegan
