#include "support/data_file.h"

#include <algorithm>
#include <string>

#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr std::uint64_t max_compression_ratio = 100, always_plausible = std::uint64_t{64} << 20;

std::string shown(const std::filesystem::path& file) { return printable(file.string()); }

/// Resizes the buffer with realloc, because glibc moves large blocks without copying them.
void resize(ByteBuffer& buffer, std::size_t bytes, const std::filesystem::path& file) {
  void* moved = std::realloc(buffer.memory.get(), bytes);
  if (moved == nullptr) throw DataError(shown(file) + format_text(": out of memory after {} bytes", buffer.size));
  static_cast<void>(buffer.memory.release());
  buffer.memory.reset(static_cast<std::byte*>(moved));
}

}  // namespace

std::uint64_t max_uncompressed_size(std::uint64_t file_size) {
  return std::clamp(file_size, always_plausible / max_compression_ratio, max_data_bytes / max_compression_ratio) *
         max_compression_ratio;
}

void check_uncompressed_size(const std::filesystem::path& file, std::uint64_t claimed, std::uint64_t file_size) {
  if (claimed <= always_plausible || claimed / max_compression_ratio <= file_size) return;
  throw DataError(shown(file) +
                  format_text(" claims to contain {} bytes of data, more than {} times the file's {} bytes", claimed,
                              max_compression_ratio, file_size));
}

void require_regular_file(const std::filesystem::path& file) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  switch (status.type()) {
    case std::filesystem::file_type::regular:
      return;
    case std::filesystem::file_type::not_found:
      throw DataError("there is no file " + shown(file));
    case std::filesystem::file_type::directory:
      throw DataError(shown(file) + " is a directory, but a file is expected");
    case std::filesystem::file_type::none:
    case std::filesystem::file_type::unknown:
      throw DataError(shown(file) + " cannot be read: " + error.message());
    default:
      throw DataError(shown(file) + " is a device or a pipe, but a regular file is expected");
  }
}

bool has_entry(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(std::filesystem::symlink_status(path, ignored));
}

ByteBuffer read_buffer(std::size_t size, const std::filesystem::path& file,
                       const std::function<std::size_t(std::span<std::byte>)>& read) {
  constexpr std::size_t step = std::size_t{64} << 20;
  ByteBuffer buffer;
  while (buffer.size < size) {
    const std::size_t wanted = std::min(size - buffer.size, step);
    resize(buffer, buffer.size + wanted, file);
    const std::size_t got = read({buffer.memory.get() + buffer.size, wanted});
    buffer.size += got;
    if (got < wanted) break;
  }
  return buffer;
}

}  // namespace slopegan
