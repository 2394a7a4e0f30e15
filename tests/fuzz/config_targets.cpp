#include <sstream>

#include "config/load.h"
#include "config/print.h"
#include "fuzz/memory_file.h"
#include "support/errors.h"

namespace slopegan::fuzz {

namespace {

std::string text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// Every line of the message must start with `place`, followed by a line number if `has_lines` is true. The only
/// exception is a line such as "and 3 more errors".
void promise_places(const std::string& message, const std::string& place, bool has_lines) {
  promise_message(message);
  std::istringstream lines(message);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("and ") && (line.ends_with(" more errors") || line.ends_with(" more error"))) continue;
    promise(line.starts_with(place), "an error starts with its location");
    promise(!has_lines || line.find_first_not_of("0123456789", place.size()) > place.size(),
            "an error has a line number");
  }
}

/// Reading the printed text of an accepted configuration must produce an equal configuration.
void promise_round_trip(const Config& config) {
  promise(differences(config, parse_config(to_yaml(config), "printed")).empty(), "configurations survive round trips");
}

std::vector<std::string> arguments_of(const std::string& text) {
  std::vector<std::string> arguments;
  std::istringstream lines(text.substr(0, text.find('\0')));  // arguments are zero-terminated
  for (std::string line; std::getline(lines, line) && arguments.size() < 8;) arguments.push_back(line);
  return arguments;
}

}  // namespace

void config_file(Bytes bytes) {
  try {
    promise_round_trip(parse_config(text_of(bytes), "fuzz.yaml"));
  } catch (const UsageError& error) {
    promise_places(error.what(), "fuzz.yaml:", true);
  }
}

void config_override(Bytes bytes) {
  static const MemoryFile empty_file{Bytes()};
  try {
    promise_round_trip(load_config(empty_file.path(), arguments_of(text_of(bytes))).config);
  } catch (const UsageError& error) {
    promise_places(error.what(), "command line: '", false);
  }
}

}  // namespace slopegan::fuzz
