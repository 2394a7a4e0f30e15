#include "models/tensor_memory.h"

#include <cstdint>
#include <iterator>
#include <new>

#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>

namespace slopegan {

/// Precedes the data of each block and preserves its alignment. LibTorch may free a block with nothing but its address.
struct alignas(64) TensorMemory::Header {
  TensorMemory* owner;
  std::size_t size;  ///< size of the data

  bool is_kept() const { return size >= smallest && size <= largest; }
  void* data() { return this + 1; }
  static Header* of(void* data) { return static_cast<Header*>(data) - 1; }
};

c10::DataPtr TensorMemory::allocate(std::size_t size) {
  void* data = size > 0 ? take(size)->data() : nullptr;
  return {data, data, &give_back, c10::Device(c10::kCPU)};
}

/// Returns a free block that is at most 1/8 larger than `size`, or a new one.
TensorMemory::Header* TensorMemory::take(std::size_t size) {
  if (size >= smallest && size <= largest) {
    const std::lock_guard lock(mutex_);
    const auto found = free_.lower_bound(size);
    if (found != free_.end() && found->first <= size + size / 8) {
      Header* block = found->second;
      free_bytes_ -= block->size;
      free_.erase(found);
      return block;
    }
  }
  const auto create = [&] { return new (c10::alloc_cpu(sizeof(Header) + size)) Header{this, size}; };
  try {
    return create();
  } catch (const c10::Error&) {
    release(0);
    return create();
  }
}

void TensorMemory::give_back(void* data) {
  if (data == nullptr) return;
  Header* block = Header::of(data);
  if (!block->is_kept()) return c10::free_cpu(block);
  TensorMemory& owner = *block->owner;
  {
    const std::lock_guard lock(owner.mutex_);
    // Before other blocks of the same size, so that the block that was used last, which may be in the processor's
    // cache, is reused first.
    owner.free_.emplace_hint(owner.free_.lower_bound(block->size), block->size, block);
    owner.free_bytes_ += block->size;
  }
  owner.release(owner.most_free_);
}

/// Returns free blocks to the system until at most `most_free` bytes are kept.
void TensorMemory::release(std::size_t most_free) {
  const std::lock_guard lock(mutex_);
  while (free_bytes_ > most_free) {
    const auto last = std::prev(free_.end());
    free_bytes_ -= last->first;
    c10::free_cpu(last->second);
    free_.erase(last);
  }
}

std::size_t TensorMemory::free_bytes() const {
  const std::lock_guard lock(mutex_);
  return free_bytes_;
}

void keep_tensor_memory() {
  constexpr std::size_t most_free = std::size_t{512} << 20;
  static auto& memory = *new TensorMemory(most_free);  // never destroyed, because tensors may exist until the end
  constexpr std::uint8_t above_default = 1;
  c10::SetCPUAllocator(&memory, above_default);
}

}  // namespace slopegan
