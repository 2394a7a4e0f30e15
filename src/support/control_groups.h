#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace slopegan {

/// The limits that control groups set for this process, for example those of its container, systemd unit or batch job.
struct ControlGroupLimits {
  std::optional<double> cores = {};  ///< CPU quota, in cores
  std::optional<std::uint64_t> memory_bytes = {};
};

/// Reads the limits of the process's control groups and all their parents, in cgroup v2 (cpu.max, memory.max) and
/// cgroup v1 (cpu.cfs_quota_us, memory.limit_in_bytes), wherever these are mounted. The lowest limit applies. Files
/// that are absent or cannot be read set no limit. Tests pass a different directory as `root`.
ControlGroupLimits read_control_group_limits(const std::filesystem::path& root = "/");

}  // namespace slopegan
