#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>

/// Helpers for reading data files from unknown sources: sizes are checked before memory is allocated for the data.
namespace slopegan {

/// The largest size of an array in a data set, in bytes.
inline constexpr std::uint64_t max_data_bytes = std::uint64_t{8} << 30;
/// The largest height and width of stored images.
inline constexpr std::int64_t max_image_side = 4096;

/// The largest plausible size, in bytes, of the data in a compressed file of `file_size` bytes: 100 times the file
/// size, but at least 64 MiB and at most max_data_bytes. Fashion-MNIST compresses to 0.6 times its size, and a
/// decompression bomb to about a thousandth of its size.
std::uint64_t max_uncompressed_size(std::uint64_t file_size);

/// Throws DataError if a file of `file_size` bytes claims to contain more than 64 MiB and more than 100 times its size.
void check_uncompressed_size(const std::filesystem::path& file, std::uint64_t claimed, std::uint64_t file_size);

/// Throws DataError unless `file` is a regular file or a symlink to one. Opening a pipe could block forever.
void require_regular_file(const std::filesystem::path& file);

/// Whether a directory entry with this name exists. Also true for a broken symlink; reading the symlink later reports
/// the error.
bool has_entry(const std::filesystem::path& path);

struct FreeMemory {
  void operator()(void* memory) const { std::free(memory); }
};

/// A buffer allocated with malloc.
struct ByteBuffer {
  std::unique_ptr<std::byte, FreeMemory> memory;
  std::size_t size = 0;  ///< in bytes
};

/// Reads up to `size` bytes. `read` fills its argument and returns the number of bytes read. A number smaller than the
/// size of the argument means the end of the file. The buffer grows as data arrives, so a wrong `size` from a damaged
/// file does not cause a large allocation. Throws a DataError that names `file` if memory runs out.
ByteBuffer read_buffer(std::size_t size, const std::filesystem::path& file,
                       const std::function<std::size_t(std::span<std::byte>)>& read);

}  // namespace slopegan
