#include "support/crc32c.h"

#include <array>
#include <cstddef>

namespace slopegan {

static constexpr std::array<std::uint32_t, 256> make_crc_table() {
  constexpr std::uint32_t reversed_polynomial = 0x82f63b78;
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? reversed_polynomial : 0);
    table[byte] = remainder;
  }
  return table;
}

std::uint32_t crc32c(std::string_view bytes) {
  static constexpr auto table = make_crc_table();
  std::uint32_t crc = ~std::uint32_t{0};
  for (const char c : bytes) {
    crc = (crc >> 8) ^ table[static_cast<std::size_t>((crc ^ static_cast<unsigned char>(c)) & 0xff)];
  }
  return ~crc;
}

}  // namespace slopegan
