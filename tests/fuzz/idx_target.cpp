#include "data/idx_file.h"
#include "fuzz/memory_file.h"
#include "support/errors.h"

namespace slopegan::fuzz {

namespace {

void read_dimensions(const MemoryFile& file, int dimensions) {
  try {
    IdxFile input(file.path(), dimensions);
    const MemoryBlock data = input.read_data();
    std::size_t size = 1;
    for (const auto side : input.shape()) size *= static_cast<std::size_t>(side);
    // Reads the last byte, which a sanitizer sees where there is none.
    promise(data.get()[size - 1] <= std::byte{0xff}, "all values are there");
  } catch (const DataError& error) {
    promise_message(error.what());
    promise(std::string(error.what()).find(file.path()) != std::string::npos, "the file is named");
  }
}

}  // namespace

void idx_file(Bytes bytes) {
  const MemoryFile file(bytes);
  read_dimensions(file, 3);
  read_dimensions(file, 1);
}

}  // namespace slopegan::fuzz
