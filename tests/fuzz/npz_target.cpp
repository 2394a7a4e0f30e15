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

void put(std::string& bytes, std::uint32_t value, int count) {
  for (int i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
}

/// An archive with one stored entry a.npy (PKWARE's APPNOTE 4.3.7, 4.3.12, 4.3.16).
std::string archive_of(Bytes content) {
  const auto size = static_cast<std::uint32_t>(content.size());
  std::string common;
  for (const std::uint32_t value : {20, 0, 0, 0, 0x21}) put(common, value, 2);  // version, flags, stored, time, date
  put(common, static_cast<std::uint32_t>(::crc32(0, content.data(), size)), 4);
  put(common, size, 4);
  put(common, size, 4);
  put(common, 5, 2);  // of the name
  put(common, 0, 2);  // of the extra field
  std::string archive = "PK\3\4" + common + "a.npy";
  archive.append(reinterpret_cast<const char*>(content.data()), content.size());
  const auto directory_at = static_cast<std::uint32_t>(archive.size());
  archive += "PK\1\2";
  put(archive, 20, 2);
  archive += common + std::string(14, '\0') + "a.npy";  // comment, disk, attributes, offset 0
  const auto directory_size = static_cast<std::uint32_t>(archive.size()) - directory_at;
  archive += "PK\5\6" + std::string(4, '\0');
  put(archive, 1, 2);
  put(archive, 1, 2);
  put(archive, directory_size, 4);
  put(archive, directory_at, 4);
  put(archive, 0, 2);
  return archive;
}

}  // namespace

void npz_file(Bytes bytes) { read_arrays(MemoryFile(bytes)); }

void npy_array(Bytes bytes) {
  const std::string archive = archive_of(bytes);
  read_arrays(MemoryFile({reinterpret_cast<const std::uint8_t*>(archive.data()), archive.size()}));
}

}  // namespace slopegan::fuzz
