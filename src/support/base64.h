#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace slopegan {

/// As RFC 4648 has it, with padding and without line breaks.
std::string base64(std::span<const std::byte> bytes);

}  // namespace slopegan
