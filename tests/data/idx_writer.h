#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <zlib.h>

namespace slopegan {

/// Magic number and sizes of an IDX file; `type` 8 is unsigned bytes.
inline std::string idx_header(const std::vector<std::uint32_t>& sizes, char type = 8) {
  std::string header{'\0', '\0', type, static_cast<char>(sizes.size())};
  for (const auto size : sizes) {
    for (const int shift : {24, 16, 8, 0}) header += static_cast<char>((size >> shift) & 0xff);
  }
  return header;
}

/// `count` bytes 0, 1, 2, … (modulo 251, so that rows and images differ).
inline std::string ramp(std::size_t count) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes += static_cast<char>(i % 251);
  return bytes;
}

inline void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

inline void write_gz(const std::filesystem::path& file, const std::string& bytes) {
  const gzFile output = gzopen(file.c_str(), "wb");
  if (output == nullptr) throw std::runtime_error("gzopen");
  gzwrite(output, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(output);
}

inline std::string read_bytes(const std::filesystem::path& file) {
  std::ifstream input(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(input), std::istreambuf_iterator<char>()};
}

}  // namespace slopegan
