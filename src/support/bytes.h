#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Reads integers of one to eight bytes in either byte order and writes them in little-endian order, independently of
/// the machine's own byte order.
namespace slopegan {

constexpr std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

constexpr std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

/// Appends the lowest `size` bytes of `value`, least significant first.
inline void append_little_endian(std::string& bytes, std::uint64_t value, int size) {
  for (int i = 0; i < size; ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xff);
}

}  // namespace slopegan
