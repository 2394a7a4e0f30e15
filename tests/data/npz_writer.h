#pragma once

#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <zip.h>

#include "support/text.h"

namespace slopegan {

/// An array in NumPy's format, version 1. `shape` is Python's text: "(3, 4)".
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
