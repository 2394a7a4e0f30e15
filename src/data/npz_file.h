#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/memory_block.h"

struct zip;

namespace slopegan {

/// An array of whole numbers.
struct NpyArray {
  bool is_signed = false;
  std::size_t item_size = 1;        ///< bytes a value: 1, 2, 4 or 8
  std::vector<std::int64_t> shape;  ///< every size at least 1
  std::size_t count = 0;            ///< values, the product of the shape
  MemoryBlock values;               ///< count · item_size bytes, row-major, little-endian
};

/// Arrays in a file of NumPy's savez and savez_compressed. libzip reads the archive; what it claims is held against the
/// file's size before anything of that size is made. Whatever is wrong is a DataError that names the file, and the
/// array where it is one.
class NpzFile {
 public:
  explicit NpzFile(std::filesystem::path path);

  bool has(const std::string& array) const;
  std::vector<std::string> arrays() const;
  /// Throws where there is no such array, it holds other than whole numbers or nothing, or is damaged.
  NpyArray read(const std::string& array) const;

 private:
  struct Close {
    void operator()(zip* archive) const;
  };

  std::filesystem::path path_;
  std::uint64_t file_size_ = 0;
  std::unique_ptr<zip, Close> archive_;
};

}  // namespace slopegan
