#pragma once

#include <cstdint>

/// The machine that the process runs on, and its memory allocator.
namespace slopegan {

/// The number of CPU cores that the process may use, at least 1. Respects the process's affinity mask, as set by
/// taskset, cpusets and Slurm.
std::int64_t usable_cores();

/// The total physical memory of the machine in bytes.
std::uint64_t physical_memory_bytes();

/// Configures glibc's allocator for a program whose training steps repeatedly allocate blocks of the same sizes: freed
/// memory is kept for the next step instead of being returned to the system. Does nothing with other C libraries. Call
/// it before any large allocation.
void configure_allocator();

}  // namespace slopegan
