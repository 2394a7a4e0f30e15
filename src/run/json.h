#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

/// JSON text and JSONL files. run/record_json.h converts records to and from JSON.
namespace slopegan {

/// Thrown if a JSON value does not have the expected type.
struct WrongJsonType : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Serialises `json` on one line (`indent` < 0) or on several lines. Invalid UTF-8 is replaced with U+FFFD, and numbers
/// that are not finite are written as null.
std::string json_text(const nlohmann::ordered_json& json, int indent = -1);

/// Returns `text` as it would be read back from JSON, with invalid UTF-8 replaced with U+FFFD.
std::string valid_utf8(std::string_view text);

/// Returns the integer in `value`. Throws WrongJsonType for anything else, including fractions, booleans and integers
/// outside the range of int64, all of which nlohmann's own conversion accepts.
std::int64_t whole_number(const nlohmann::json& value);

/// Returns the number in `value`, or NaN for null. Throws WrongJsonType for anything else.
double number_or_nan(const nlohmann::json& value);

/// Parses a JSON object. Returns std::nullopt if `text` is not valid JSON, is not an object, or is nested deeper than
/// 32 levels.
std::optional<nlohmann::json> parse_json_object(std::string_view text);

/// Calls take(object) for each line of a JSONL file. Only one line is in memory at a time. An incomplete last line (one
/// without a newline, because the process was killed) is skipped. Throws IoError if the file cannot be read. Throws a
/// DataError with the line number if a line is longer than 1 MiB, is not a JSON object, or makes `take` throw
/// WrongJsonType or an nlohmann exception. `what` names the kind of record in the message.
void for_each_json_line(const std::filesystem::path& file, const std::string& what,
                        const std::function<void(const nlohmann::json&)>& take);

/// Calls take(object) only for the last complete line of the file, or of its first `size` bytes. Reads only the end of
/// this part, so it is fast even for long files that are still growing. Returns false if there is no such line, or if
/// for_each_json_line would throw DataError for that line. Throws IoError if the file cannot be read.
bool take_last_json_line(const std::filesystem::path& file, const std::function<void(const nlohmann::json&)>& take,
                         std::optional<std::uint64_t> size = std::nullopt);

}  // namespace slopegan
