#include "support/control_groups.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace slopegan {

namespace {

/// A mounted hierarchy of control groups.
struct GroupMount {
  std::string root;   ///< the group that is mounted; not "/" in some containers
  std::string point;  ///< where it is mounted
  bool is_version_2 = false;
  std::string controllers;  ///< "rw,cpu,cpuacct" (version 1)
};

bool has_word(const std::string& list, const std::string& word) {
  return ("," + list + ",").find("," + word + ",") != std::string::npos;
}

std::vector<GroupMount> read_group_mounts(const std::filesystem::path& file) {
  std::vector<GroupMount> mounts;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    const auto separator = line.find(" - ");
    if (separator == std::string::npos) continue;
    std::istringstream before(line), after(line.substr(separator + 3));
    std::string skipped, type, source;
    GroupMount mount;
    before >> skipped >> skipped >> skipped >> mount.root >> mount.point;
    after >> type >> source >> mount.controllers;
    mount.is_version_2 = type == "cgroup2";
    if (type == "cgroup" || type == "cgroup2") mounts.push_back(mount);
  }
  return mounts;
}

/// The path of the process's group in the hierarchy of `mount`, from a file with lines such as "4:cpu,cpuacct:/job" or
/// "0::/job".
std::optional<std::string> group_path(const std::filesystem::path& file, const GroupMount& mount,
                                      const std::string& controller) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (mount.is_version_2 ? controllers.empty() : has_word(controllers, controller)) return line.substr(second + 1);
  }
  return std::nullopt;
}

/// The directories of the process's group and of all its parent groups that are mounted.
std::vector<std::filesystem::path> group_directories(const std::filesystem::path& root, const GroupMount& mount,
                                                     const std::string& group) {
  namespace fs = std::filesystem;
  const fs::path point = root / fs::path(mount.point).relative_path();
  fs::path inside = fs::path(group).lexically_relative(mount.root);
  // If the group is outside the mounted part, the mount point is the closest visible group.
  if (inside.empty() || inside == "." || *inside.begin() == "..") inside.clear();
  std::vector<fs::path> directories;
  for (; !inside.empty(); inside = inside.parent_path()) directories.push_back(point / inside);
  directories.push_back(point);
  return directories;
}

/// The numbers in a file such as cpu.max, up to the first word that is not a number ("max").
std::vector<double> read_numbers(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::vector<double> numbers;
  for (double number = 0; stream >> number;) numbers.push_back(number);
  return numbers;
}

void lower_limit(std::optional<double>& limit, double value) { limit = limit ? std::min(*limit, value) : value; }

void read_cores(const std::filesystem::path& group, std::optional<double>& cores) {
  auto quota = read_numbers(group / "cpu.max");
  if (quota.empty()) {
    quota = read_numbers(group / "cpu.cfs_quota_us");  // -1: no quota
    const auto period = read_numbers(group / "cpu.cfs_period_us");
    quota.insert(quota.end(), period.begin(), period.end());
  }
  if (quota.size() == 2 && quota[0] > 0 && quota[1] > 0) lower_limit(cores, quota[0] / quota[1]);
}

void read_memory(const std::filesystem::path& group, std::optional<double>& bytes) {
  auto limit = read_numbers(group / "memory.max");
  if (limit.empty()) limit = read_numbers(group / "memory.limit_in_bytes");
  // Version 1 represents "no limit" as a number close to 2^63.
  if (limit.size() == 1 && limit[0] > 0 && limit[0] < 0x1p62) lower_limit(bytes, limit[0]);
}

}  // namespace

ControlGroupLimits read_control_group_limits(const std::filesystem::path& root) {
  std::optional<double> cores, bytes;
  for (const auto& mount : read_group_mounts(root / "proc/self/mountinfo")) {
    for (const std::string controller : {"cpu", "memory"}) {
      if (!mount.is_version_2 && !has_word(mount.controllers, controller)) continue;
      const auto group = group_path(root / "proc/self/cgroup", mount, controller);
      if (!group) continue;
      for (const auto& directory : group_directories(root, mount, *group)) {
        controller == "cpu" ? read_cores(directory, cores) : read_memory(directory, bytes);
      }
    }
  }
  ControlGroupLimits limits{cores, {}};
  if (bytes) limits.memory_bytes = static_cast<std::uint64_t>(*bytes);
  return limits;
}

}  // namespace slopegan
