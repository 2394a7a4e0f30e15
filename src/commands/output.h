#pragma once

#include <string>

namespace slopegan {

/// Writes a result to the standard output at once. Throws IoError where that fails.
void print(const std::string& text);

}  // namespace slopegan
