#include <initializer_list>
#include <string_view>
#include <vector>

#include <zlib.h>

#include "data/idx_file.h"
#include "fuzz/memory_file.h"
#include "images/npz.h"
#include "support/errors.h"

namespace slopegan::fuzz {

namespace {

/// Reads the last byte, so that a sanitizer detects a buffer that is too short.
void promise_readable(const ByteBuffer& buffer) {
  promise(buffer.memory.get()[buffer.size - 1] <= std::byte{0xff}, "all values are readable");
}

void promise_error(const DataError& error, const MemoryFile& file) {
  promise_message(error.what());
  promise(std::string(error.what()).find(file.path()) != std::string::npos, "the error names the file");
}

void read_dimensions(const MemoryFile& file, int dimensions) {
  try {
    IdxFile input(file.path(), dimensions);
    const ByteBuffer data = input.read_data();
    std::size_t size = 1;
    for (const auto side : input.shape()) size *= static_cast<std::size_t>(side);
    promise(data.size == size, "the size matches the shape");
    promise_readable(data);
  } catch (const DataError& error) {
    promise_error(error, file);
  }
}

void read_arrays(const MemoryFile& file) {
  try {
    const NpzFile input(file.path());
    for (const auto& name : input.arrays()) {
      const NpyArray array = input.read(name);
      promise(input.has(name), "listed arrays exist");
      std::size_t size = array.item_size;
      for (const auto side : array.shape) size *= static_cast<std::size_t>(side);
      promise(size == array.count * array.item_size, "the count matches the shape");
      promise(array.values.size == size, "the size matches the shape");
      promise_readable(array.values);
    }
  } catch (const DataError& error) {
    promise_error(error, file);
  }
}

using Archive = std::vector<std::uint8_t>;

/// Appends little-endian integers of `size` bytes.
void put(Archive& archive, int size, std::initializer_list<std::uint32_t> values) {
  for (const auto value : values) {
    for (int i = 0; i < size; ++i) archive.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }
}

/// Appends the fields that are the same in both headers of an entry, such as its size and checksum.
void put_entry(Archive& archive, Bytes content) {
  const auto size = static_cast<std::uint32_t>(content.size());
  put(archive, 2, {20, 0, 0, 0, 0x21});  // version, flags, method (stored), time, date
  put(archive, 4, {static_cast<std::uint32_t>(::crc32(0, content.data(), size)), size, size});
  put(archive, 2, {5, 0});  // lengths of the name and the extra field
}

/// Returns a zip archive that contains `content` as the uncompressed entry a.npy (PKWARE's APPNOTE, sections 4.3.7,
/// 4.3.12 and 4.3.16).
Archive archive_of(Bytes content) {
  constexpr std::string_view name = "a.npy";
  Archive archive;
  put(archive, 4, {0x04034b50});
  put_entry(archive, content);
  archive.insert(archive.end(), name.begin(), name.end());
  archive.insert(archive.end(), content.begin(), content.end());
  const auto directory_at = static_cast<std::uint32_t>(archive.size());
  put(archive, 4, {0x02014b50});
  put(archive, 2, {20});
  put_entry(archive, content);
  put(archive, 2, {0, 0, 0});  // comment, disk, attributes
  put(archive, 4, {0, 0});     // attributes, offset of the entry
  archive.insert(archive.end(), name.begin(), name.end());
  const auto directory_size = static_cast<std::uint32_t>(archive.size()) - directory_at;
  put(archive, 4, {0x06054b50, 0});
  put(archive, 2, {1, 1});
  put(archive, 4, {directory_size, directory_at});
  put(archive, 2, {0});
  return archive;
}

}  // namespace

void idx_file(Bytes bytes) {
  const MemoryFile file(bytes);
  read_dimensions(file, 3);
  read_dimensions(file, 1);
}

void npz_file(Bytes bytes) { read_arrays(MemoryFile(bytes)); }

void npy_array(Bytes bytes) { read_arrays(MemoryFile(archive_of(bytes))); }

}  // namespace slopegan::fuzz
