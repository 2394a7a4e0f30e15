#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

struct gzFile_s;

namespace slopegan {

/// Reads a plain or gzipped file sequentially. Compression is detected from the first bytes. Throws DataError, naming
/// the file, if it is not a regular file or cannot be read, or if its gzip stream is damaged or truncated.
class GzFile {
 public:
  explicit GzFile(std::filesystem::path path);
  ~GzFile();
  GzFile(const GzFile&) = delete;
  GzFile& operator=(const GzFile&) = delete;

  /// Size on disk, in bytes.
  std::uint64_t file_size() const { return file_size_; }

  /// Fills `into` and returns the number of bytes read, which is less than into.size() only at the end of the file.
  std::size_t read(std::span<std::byte> into);

 private:
  [[noreturn]] void fail() const;

  std::filesystem::path path_;
  std::uint64_t file_size_ = 0;
  gzFile_s* file_;
};

}  // namespace slopegan
