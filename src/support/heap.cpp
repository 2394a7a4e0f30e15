#include "support/heap.h"

#include <cstdint>
#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace slopegan {

#ifdef __GLIBC__

void prepare_heap() {
  constexpr std::size_t mebibyte = 1 << 20, huge_page = 2 * mebibyte;
  // 32 MiB is the most that glibc takes for the first; larger blocks are still mapped one by one.
  mallopt(M_MMAP_THRESHOLD, 32 * mebibyte);
  mallopt(M_TRIM_THRESHOLD, 512 * mebibyte);

  // One growth of the heap in advance: addresses only, memory comes as it is used.
  mallopt(M_TOP_PAD, 256 * mebibyte);
  const auto begin = reinterpret_cast<std::uintptr_t>(sbrk(0));
  std::free(std::malloc(16 * mebibyte));
  const auto end = reinterpret_cast<std::uintptr_t>(sbrk(0));
  mallopt(M_TOP_PAD, 16 * mebibyte);
  const std::uintptr_t first = (begin + huge_page - 1) / huge_page * huge_page, last = end / huge_page * huge_page;
  // A refusal, as by a kernel without huge pages, costs some speed and nothing else.
  if (first < last) (void)madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
}

#else

void prepare_heap() {}

#endif

}  // namespace slopegan
