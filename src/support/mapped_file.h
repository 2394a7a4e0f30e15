#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace slopegan {

/// The bytes of a regular file as memory that the system reads where it is looked at and may drop again at any time.
/// The file may be unlinked meanwhile, but not be shortened. Throws IoError that names it.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& file);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace slopegan
