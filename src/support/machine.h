#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "support/control_groups.h"

/// The machine that the process runs on, and its memory allocator.
namespace slopegan {

struct CoreCount {
  std::int64_t cores = 1;
  std::string reason;  ///< "all cores", "affinity mask: 2 of 64 cores" or "CPU quota: 2.5 of 64 cores"
};

/// Returns the number of cores that the affinity mask or the CPU quota allows, whichever is lower, rounded down, but at
/// least 1.
CoreCount count_usable_cores(std::int64_t online, std::int64_t in_affinity_mask, const ControlGroupLimits& limits);

/// Undoes the binding of the main thread by libgomp. If OMP_PROC_BIND, OMP_PLACES or GOMP_CPU_AFFINITY requests that
/// threads be bound to places, libgomp binds the main thread to the first place when it is loaded, before main().
/// usable_core_count() would then count the cores of this place only, and threads and child processes would inherit the
/// restriction. Afterwards, the main thread may use the cores of all places; libgomp still binds the threads that it
/// starts. Call it at the start of main(). Does nothing if there is no binding or if libgomp is not the OpenMP runtime.
void unbind_main_thread();

/// Returns the number of CPU cores that the process may use. Respects its affinity mask, as set by taskset, cpusets and
/// Slurm, and the CPU quotas of its container. If a process runs more threads than its quota, the kernel suspends all
/// of its threads for part of each period.
CoreCount usable_core_count();

inline std::int64_t usable_cores() { return usable_core_count().cores; }

/// The number of threads in the environment variable OMP_NUM_THREADS, if it is set and valid; for a list, the first
/// number. Users and batch systems set the variable to limit the threads of a process.
std::optional<std::int64_t> threads_of_environment();
std::optional<std::int64_t> parse_thread_count(std::string_view text);

/// The model of the processor. On x86-64, this is its name, such as "AMD EPYC 9654 96-Core Processor". On Arm, where
/// /proc/cpuinfo contains no name, it consists of numbers, such as "Arm, implementer 0x41, part 0xd0c" (Neoverse N1).
std::string cpu_model();
/// The same for the content of a /proc/cpuinfo; unknown_cpu if it contains neither.
std::string cpu_model_in(const std::string& cpuinfo);
inline constexpr const char* unknown_cpu = "unknown";

/// The total physical memory of the machine in bytes.
std::uint64_t physical_memory_bytes();

/// The memory that the process may use: the physical memory, or less if its container has a limit.
std::uint64_t usable_memory_bytes();

/// The memory that the process uses, in bytes; 0 if unknown.
double resident_memory_bytes();

/// Configures glibc's allocator for a program whose training steps repeatedly allocate blocks of the same sizes: freed
/// memory is kept for the next step instead of being returned to the system. Does nothing with other C libraries. Call
/// it before any large allocation.
void configure_allocator();

}  // namespace slopegan
