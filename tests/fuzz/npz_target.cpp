#include <initializer_list>
#include <string_view>
#include <vector>

#include <zlib.h>

#include "data/npz_file.h"
#include "fuzz/memory_file.h"
#include "support/errors.h"

namespace slopegan::fuzz {

namespace {

void read_arrays(const MemoryFile& file) {
  try {
    const NpzFile input(file.path());
    for (const auto& name : input.arrays()) {
      const NpyArray array = input.read(name);
      promise(input.has(name), "what is listed is there");
      std::size_t size = array.item_size;
      for (const auto side : array.shape) size *= static_cast<std::size_t>(side);
      promise(size == array.count * array.item_size, "the count is that of the shape");
      // Reads the last byte, which a sanitizer sees where there is none.
      promise(array.values.get()[size - 1] <= std::byte{0xff}, "all values are there");
    }
  } catch (const DataError& error) {
    promise_message(error.what());
    promise(std::string(error.what()).find(file.path()) != std::string::npos, "the file is named");
  }
}

using Archive = std::vector<std::uint8_t>;

/// Numbers of `size` bytes, little-endian.
void put(Archive& archive, int size, std::initializer_list<std::uint32_t> values) {
  for (const auto value : values) {
    for (int i = 0; i < size; ++i) archive.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }
}

/// Size, checksum and more of an entry, as both of its headers have them.
void put_entry(Archive& archive, Bytes content) {
  const auto size = static_cast<std::uint32_t>(content.size());
  put(archive, 2, {20, 0, 0, 0, 0x21});  // version, flags, stored, time, date
  put(archive, 4, {static_cast<std::uint32_t>(::crc32(0, content.data(), size)), size, size});
  put(archive, 2, {5, 0});  // bytes of the name and of what is extra
}

/// An archive with one stored entry a.npy (PKWARE's APPNOTE 4.3.7, 4.3.12, 4.3.16).
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
  put(archive, 4, {0, 0});     // attributes, where the entry begins
  archive.insert(archive.end(), name.begin(), name.end());
  const auto directory_size = static_cast<std::uint32_t>(archive.size()) - directory_at;
  put(archive, 4, {0x06054b50, 0});
  put(archive, 2, {1, 1});
  put(archive, 4, {directory_size, directory_at});
  put(archive, 2, {0});
  return archive;
}

}  // namespace

void npz_file(Bytes bytes) { read_arrays(MemoryFile(bytes)); }

void npy_array(Bytes bytes) { read_arrays(MemoryFile(archive_of(bytes))); }

}  // namespace slopegan::fuzz
