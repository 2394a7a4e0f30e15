#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

struct gzFile_s;

namespace slopegan {

/// Reads a file that may be gzipped (told by its first bytes) from front to back. Throws DataError that names the file
/// where it cannot be opened or read, is a directory or a device, or its gzip stream is damaged or ends early.
class GzFile {
 public:
  explicit GzFile(std::filesystem::path path);
  ~GzFile();
  GzFile(const GzFile&) = delete;
  GzFile& operator=(const GzFile&) = delete;

  /// Of the file as it lies on the disk, in bytes.
  std::uint64_t file_size() const { return file_size_; }

  /// Fills `into` and returns how many bytes that were; fewer than asked for only at the end of the file.
  std::size_t read(std::span<std::byte> into);

 private:
  [[noreturn]] void fail() const;

  std::filesystem::path path_;
  std::uint64_t file_size_ = 0;
  gzFile_s* file_;
};

}  // namespace slopegan
