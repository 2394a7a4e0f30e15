#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "run/json_text.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/text.h"

namespace slopegan {

/// Calls take(object) for each line of a JSONL file. A last line without its newline, left by a process that was
/// killed, is skipped. Throws IoError where the file cannot be read, and DataError naming the line that is not "a
/// record of `what`": no JSON object, or one for which `take` throws nlohmann's exceptions.
inline void for_each_json_line(const std::filesystem::path& file, const std::string& what,
                               const std::function<void(const nlohmann::json&)>& take) {
  constexpr std::size_t largest = std::size_t{1} << 30;
  const std::string content = read_file(file, largest);
  std::size_t begin = 0, number = 1;
  for (std::size_t end; (end = content.find('\n', begin)) != std::string::npos; begin = end + 1, ++number) {
    const auto refuse = [&] {
      throw DataError(format("%s:%zu: this line is no record of %s", display(file).c_str(), number, what.c_str()));
    };
    const auto line = parse_json_object(std::string_view(content).substr(begin, end - begin));
    if (!line) refuse();
    try {
      take(*line);
    } catch (const nlohmann::json::exception&) {
      refuse();
    }
  }
}

}  // namespace slopegan
