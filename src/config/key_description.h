#pragma once

#include <string>
#include <vector>

namespace slopegan {

/// A configuration key for people and their shells.
struct KeyDescription {
  std::string key;  ///< dotted
  std::string default_value;
  std::string allowed;
  std::string help;
  std::vector<std::string> words;  ///< all values that are allowed, where they are a few words or numbers
  bool is_path = false;
};

/// Every key that this version reads, in the order of the printed configuration.
std::vector<KeyDescription> key_descriptions();

}  // namespace slopegan
