#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>
#include <zip.h>

#include <zlib.h>

/// Functions that write data files for tests.
namespace slopegan {

/// The header of an IDX file. Type 8 stands for unsigned bytes.
inline std::string idx_header(const std::vector<std::uint32_t>& sizes, char type = 8) {
  std::string header{'\0', '\0', type, static_cast<char>(sizes.size())};
  for (const auto size : sizes) {
    for (const int shift : {24, 16, 8, 0}) header += static_cast<char>((size >> shift) & 0xff);
  }
  return header;
}

/// `count` bytes 0, 1, 2, ... modulo 251, so that rows and images differ.
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

/// An array in NumPy's format, version 1. `shape` is a Python literal such as "(3, 4)".
inline std::string npy(const std::string& type, const std::string& shape, const std::string& values,
                       const std::string& fortran_order = "False") {
  std::string header = "{'descr': '" + type + "', 'fortran_order': " + fortran_order + ", 'shape': " + shape + ", }";
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 10, ' ');
  header.back() = '\n';
  std::string bytes("\x93NUMPY\1\0", 8);
  bytes += static_cast<char>(header.size() & 0xff);
  bytes += static_cast<char>(header.size() >> 8);
  return bytes + header + values;
}

/// `method` is ZIP_CM_STORE or ZIP_CM_DEFLATE.
inline void write_zip(const std::filesystem::path& file, const std::map<std::string, std::string>& entries,
                      zip_int32_t method = ZIP_CM_DEFLATE) {
  zip_t* archive = zip_open(file.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  if (archive == nullptr) throw std::runtime_error("zip_open");
  for (const auto& [name, bytes] : entries) {
    const auto index = zip_file_add(archive, name.c_str(), zip_source_buffer(archive, bytes.data(), bytes.size(), 0),
                                    ZIP_FL_ENC_UTF_8);
    if (index < 0 || zip_set_file_compression(archive, static_cast<zip_uint64_t>(index), method, 9) != 0) {
      throw std::runtime_error("zip_file_add");
    }
  }
  if (zip_close(archive) != 0) throw std::runtime_error("zip_close");
}

}  // namespace slopegan
