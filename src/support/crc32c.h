#pragma once

#include <cstdint>
#include <string_view>

namespace slopegan {

/// CRC-32C (Castagnoli; RFC 3720, appendix B.4), which zlib does not have.
std::uint32_t crc32c(std::string_view bytes);

}  // namespace slopegan
