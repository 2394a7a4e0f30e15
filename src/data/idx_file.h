#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "data/gz_file.h"
#include "data/memory_block.h"

namespace slopegan {

/// A file of unsigned bytes in the IDX format of MNIST and its relatives, plain or gzipped (told by content, not by
/// name). Whatever is wrong is a DataError that names the file.
class IdxFile {
 public:
  /// Reads the header, which must have exactly `dimensions` dimensions (3: images, 1: labels), the first of at least 1,
  /// the others of 1 to 4096, 8 GiB in all. Claims that the size of the file cannot bear out are refused.
  IdxFile(const std::filesystem::path& file, int dimensions);

  const std::vector<std::int64_t>& shape() const { return shape_; }

  /// All values, row-major: as many bytes as the product of the shape. The memory in use follows what the file really
  /// holds, not what its header claims. Refuses a file that holds less or more. To be called once.
  MemoryBlock read_data();

 private:
  std::filesystem::path path_;
  GzFile input_;
  std::vector<std::int64_t> shape_;
  std::size_t bytes_;
};

}  // namespace slopegan
