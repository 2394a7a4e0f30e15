#include "run/json_text.h"

#include <limits>

namespace slopegan {

using nlohmann::json;

std::string json_text(const nlohmann::ordered_json& value, int indent) {
  return value.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string valid_utf8(std::string_view text) { return json::parse(json_text(text)).get<std::string>(); }

std::int64_t whole_number(const json& value) {
  constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();
  if (!value.is_number_integer() || (value.is_number_unsigned() && value.get<std::uint64_t>() > largest)) {
    throw WrongJsonType("a whole number is expected");
  }
  return value.get<std::int64_t>();
}

double number_or_nan(const json& value) {
  if (value.is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (!value.is_number()) throw WrongJsonType("a number is expected");
  return value.get<double>();
}

std::optional<json> parse_json_object(std::string_view text) {
  bool too_deep = false;
  const auto limit_depth = [&](int depth, json::parse_event_t, json&) {
    too_deep = too_deep || depth > 32;
    return !too_deep;  // what is nested deeper is not kept
  };
  const json value = json::parse(text, limit_depth, false);
  if (too_deep || !value.is_object()) return std::nullopt;
  return value;
}

}  // namespace slopegan
