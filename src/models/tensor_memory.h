#pragma once

#include <cstddef>
#include <mutex>

#include <c10/core/Allocator.h>

namespace slopegan {

/// LibTorch's allocator for CPU tensors, except that freed blocks of 4 to 32 MiB are kept for later tensors of about
/// the same size. Every training step allocates tensors of the same sizes. In glibc's heap, small blocks between them
/// keep their memory from being reused, and the heap grows to almost twice the size of its content. Blocks above 32 MiB
/// are mapped individually (configure_allocator). Blocks below 4 MiB stay in the heap: there, tensors of different
/// sizes share memory that is in the processor's cache, which is faster.
class TensorMemory : public c10::Allocator {
 public:
  static constexpr std::size_t smallest = std::size_t{4} << 20, largest = std::size_t{32} << 20;

  /// Keeps at most `most_free` bytes: the blocks that were freed last. The object must outlive its tensors.
  explicit TensorMemory(std::size_t most_free) : most_free_(most_free) {}
  ~TensorMemory() override { release(0); }
  TensorMemory(const TensorMemory&) = delete;
  TensorMemory& operator=(const TensorMemory&) = delete;

  /// A block of `size` bytes, aligned to 64 bytes. Thread-safe. If there is not enough memory, releases all blocks that
  /// are kept and tries again. Throws c10::Error like LibTorch's allocator.
  c10::DataPtr allocate(std::size_t size) override;
  c10::DeleterFnPtr raw_deleter() const override { return &give_back; }
  void copy_data(void* to, const void* from, std::size_t size) const override { default_copy_data(to, from, size); }

  /// Returns the blocks that were freed first to the system until at most `most_free` bytes are kept. Returns whether
  /// there were such blocks.
  bool release(std::size_t most_free);

  /// The size of the blocks that are kept but not in use, in bytes.
  std::size_t free_bytes() const;

 private:
  struct Header;

  Header* take(std::size_t size);
  Header* find_free(std::size_t size);
  void link(Header& block);
  void unlink(Header& block);
  static void give_back(void* data) noexcept;

  const std::size_t most_free_;
  mutable std::mutex mutex_;                      // guards the members below
  Header *newest_ = nullptr, *oldest_ = nullptr;  // a list of the free blocks in the order in which they were freed
  std::size_t free_bytes_ = 0;
};

/// Makes LibTorch use a TensorMemory for all CPU tensors of the process, and releases its free blocks if operator new
/// fails. Call it before any other use of LibTorch. Does nothing under AddressSanitizer, which would not notice the use
/// of freed tensors.
void keep_tensor_memory();

}  // namespace slopegan
