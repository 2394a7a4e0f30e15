#include "data/memory_block.h"

#include <algorithm>

#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

/// realloc, because glibc moves large blocks without copying them.
static void resize(MemoryBlock& memory, std::size_t bytes, const std::filesystem::path& file) {
  void* moved = std::realloc(memory.get(), bytes);
  if (moved == nullptr) {
    throw DataError(printable(file.string()) + format_text(": there is no memory for {} bytes of it", bytes));
  }
  static_cast<void>(memory.release());
  memory.reset(static_cast<std::byte*>(moved));
}

FilledBlock read_as_it_comes(std::size_t size, const std::filesystem::path& file,
                             const std::function<std::size_t(std::span<std::byte>)>& read) {
  constexpr std::size_t step = std::size_t{64} << 20;
  FilledBlock filled;
  while (filled.size < size) {
    const std::size_t block = std::min(size - filled.size, step);
    resize(filled.memory, filled.size + block, file);
    const std::size_t got = read({filled.memory.get() + filled.size, block});
    filled.size += got;
    if (got < block) break;
  }
  return filled;
}

}  // namespace slopegan
