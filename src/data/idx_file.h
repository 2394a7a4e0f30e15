#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "data/gz_file.h"
#include "support/data_file.h"

namespace slopegan {

/// A file of unsigned bytes in the IDX format of MNIST, plain or gzipped (detected from the content, not from the
/// name). All errors are DataErrors that name the file.
class IdxFile {
 public:
  /// Reads the header, which must have exactly `dimensions` dimensions (3: images, 1: labels). The first must be at
  /// least 1, the others 1 to max_image_side, and the data at most max_data_bytes in total. Sizes that are implausible
  /// for the size of the file are rejected.
  IdxFile(const std::filesystem::path& file, int dimensions);

  const std::vector<std::int64_t>& shape() const { return shape_; }

  /// All values, row-major. Memory use depends on the actual content, not on the header. Throws if the file contains
  /// fewer or more bytes than the header says. Call once.
  ByteBuffer read_data();

 private:
  std::filesystem::path path_;
  GzFile input_;
  std::vector<std::int64_t> shape_;
  std::size_t bytes_;
};

}  // namespace slopegan
