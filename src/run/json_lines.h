#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include <nlohmann/json.hpp>

namespace slopegan {

/// Calls take(object) for each line of a JSONL file, of which only one line is in memory at a time. A last line without
/// its newline, left by a process that was killed, is skipped. Throws IoError where the file cannot be read, and
/// DataError naming the line that is not "a record of `what`": longer than 1 MiB, no JSON object, or one for which
/// `take` throws nlohmann's exceptions or WrongJsonType.
void for_each_json_line(const std::filesystem::path& file, const std::string& what,
                        const std::function<void(const nlohmann::json&)>& take);

/// Calls take(object) for the last whole line alone, of which only the file's end is read: a glance at a file that is
/// long and still grows. Returns whether there was such a line, which is an object that `take` took without an
/// exception of the above. Throws IoError where the file cannot be read.
bool take_last_json_line(const std::filesystem::path& file, const std::function<void(const nlohmann::json&)>& take);

}  // namespace slopegan
