#pragma once

#include <cstdint>

namespace slopegan {

/// How many processor cores this process may use (its affinity, as taskset, cpusets and Slurm set it); at least 1.
std::int64_t usable_cores();

/// The machine's memory, used or not.
std::uint64_t physical_memory_bytes();

}  // namespace slopegan
