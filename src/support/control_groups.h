#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace slopegan {

/// The limits that the control groups of this process set: those of its container, systemd unit or batch job.
struct ControlGroupLimits {
  std::optional<double> cores = {};  ///< CPU quota, in cores
  std::optional<std::uint64_t> memory_bytes = {};
};

/// Reads the limits of the process's groups and all their parents from control groups of version 2 (cpu.max,
/// memory.max) and version 1 (cpu.cfs_quota_us, memory.limit_in_bytes), wherever they are mounted. The smallest limit
/// counts. Files that are absent or cannot be read set no limit. `root` is the file system's root, for tests.
ControlGroupLimits read_control_group_limits(const std::filesystem::path& root = "/");

}  // namespace slopegan
