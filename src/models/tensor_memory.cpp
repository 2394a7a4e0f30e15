#include "models/tensor_memory.h"

#include <algorithm>
#include <cstdint>
#include <new>

#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>
#include <c10/util/Exception.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "support/machine.h"

namespace slopegan {

/// Precedes the data of each block and preserves its alignment. LibTorch may free a block with nothing but its address.
struct alignas(64) TensorMemory::Header {
  TensorMemory* owner;
  std::size_t size;                           ///< size of the data
  Header *newer = nullptr, *older = nullptr;  ///< neighbours in the list of free blocks

  bool is_kept() const { return size >= smallest && size <= largest; }
  void* data() { return this + 1; }
  static Header* of(void* data) { return static_cast<Header*>(data) - 1; }
};

c10::DataPtr TensorMemory::allocate(std::size_t size) {
  void* data = size > 0 ? take(size)->data() : nullptr;
  return {data, data, &give_back, c10::Device(c10::kCPU)};
}

TensorMemory::Header* TensorMemory::take(std::size_t size) {
  static_assert(sizeof(Header) == 64);
  if (Header* block = find_free(size)) return block;
  TORCH_CHECK(size <= PTRDIFF_MAX - sizeof(Header), "not enough memory: a tensor of ", size, " bytes");
  const auto create = [&] { return new (c10::alloc_cpu(sizeof(Header) + size)) Header{this, size}; };
  try {
    return create();
  } catch (const c10::Error&) {
    if (!release(0)) throw;
    return create();
  }
}

/// Takes the best free block that is at most 1/8 larger than `size` out of the list. Of blocks of the same size, takes
/// the one that was freed last, which may be in the processor's cache. Returns nullptr if there is none.
TensorMemory::Header* TensorMemory::find_free(std::size_t size) {
  if (size < smallest || size > largest) return nullptr;
  const std::lock_guard lock(mutex_);
  Header* best = nullptr;
  for (Header* block = newest_; block != nullptr; block = block->older) {
    const bool fits = block->size >= size && block->size <= size + size / 8;
    if (fits && (best == nullptr || block->size < best->size)) best = block;
  }
  if (best != nullptr) unlink(*best);
  return best;
}

void TensorMemory::link(Header& block) {
  block.newer = nullptr;
  block.older = newest_;
  (newest_ != nullptr ? newest_->newer : oldest_) = &block;
  newest_ = &block;
  free_bytes_ += block.size;
}

void TensorMemory::unlink(Header& block) {
  (block.newer != nullptr ? block.newer->older : newest_) = block.older;
  (block.older != nullptr ? block.older->newer : oldest_) = block.newer;
  free_bytes_ -= block.size;
}

/// Does not allocate memory, because tensors are also freed while the error for exhausted memory is handled.
void TensorMemory::give_back(void* data) noexcept {
  if (data == nullptr) return;
  Header* block = Header::of(data);
  if (!block->is_kept()) return c10::free_cpu(block);
  TensorMemory& owner = *block->owner;
  {
    const std::lock_guard lock(owner.mutex_);
    owner.link(*block);
  }
  owner.release(owner.most_free_);
}

bool TensorMemory::release(std::size_t most_free) {
  const std::lock_guard lock(mutex_);
  if (free_bytes_ <= most_free) return false;
  while (free_bytes_ > most_free) {
    Header* block = oldest_;
    unlink(*block);
    c10::free_cpu(block);
  }
#ifdef __GLIBC__
  // configure_allocator() makes glibc keep freed memory as well.
  if (most_free == 0) ::malloc_trim(0);
#endif
  return true;
}

std::size_t TensorMemory::free_bytes() const {
  const std::lock_guard lock(mutex_);
  return free_bytes_;
}

#ifdef __SANITIZE_ADDRESS__
void keep_tensor_memory() {}
#else

/// The memory of the process; nullptr before keep_tensor_memory(). Never destroyed, because tensors may exist until the
/// process ends.
static TensorMemory* process_memory = nullptr;

void keep_tensor_memory() {
  constexpr std::uint64_t most = std::uint64_t{512} << 20, share = 8;
  if (process_memory != nullptr) return;
  process_memory = new TensorMemory(static_cast<std::size_t>(std::min(most, usable_memory_bytes() / share)));
  constexpr std::uint8_t above_default = 1;
  c10::SetCPUAllocator(process_memory, above_default);
  std::set_new_handler([] {
    if (!process_memory->release(0)) throw std::bad_alloc();
  });
}

#endif

}  // namespace slopegan
