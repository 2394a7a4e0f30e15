#pragma once

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>

namespace slopegan {

struct FreeMemory {
  void operator()(void* memory) const { std::free(memory); }
};
using MemoryBlock = std::unique_ptr<std::byte, FreeMemory>;

struct FilledBlock {
  MemoryBlock memory;
  std::size_t size = 0;  ///< bytes that were read
};

/// Fills up to `size` bytes. The memory grows with what arrives, so that it follows what a file holds and not what it
/// claims. `read` fills its argument and returns how many bytes that were, fewer only at the end. Throws DataError that
/// names `file` where there is no memory.
FilledBlock read_as_it_comes(std::size_t size, const std::filesystem::path& file,
                             const std::function<std::size_t(std::span<std::byte>)>& read);

}  // namespace slopegan
