#include "support/machine.h"

#include <algorithm>
#include <sched.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace slopegan {

std::int64_t usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN));  // more cores than cpu_set_t can represent
}

std::uint64_t physical_memory_bytes() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void configure_allocator() {
#ifdef __GLIBC__
  constexpr int mebibyte = 1 << 20;
  // 32 MiB is the maximum that glibc accepts. Larger blocks are still mapped individually.
  mallopt(M_MMAP_THRESHOLD, 32 * mebibyte);
  mallopt(M_TRIM_THRESHOLD, 512 * mebibyte);
  mallopt(M_TOP_PAD, 16 * mebibyte);
#endif
}

}  // namespace slopegan
