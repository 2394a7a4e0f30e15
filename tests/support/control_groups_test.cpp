#include "support/control_groups.h"

#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "temporary_directory.h"

namespace slopegan::testing {
namespace {

class ControlGroups : public ::testing::Test {
 protected:
  void write(const std::string& file, const std::string& text) const {
    const auto path = root_ / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text << '\n';
  }

  void mount_version_2(const std::string& group, const std::string& mounted = "/") const {
    write("proc/self/mountinfo", "21 1 8:1 / / rw - ext4 /dev/root rw\n30 21 0:26 " + mounted +
                                     " /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate");
    write("proc/self/cgroup", "0::" + group);
  }

  TemporaryDirectory root_;
};

TEST_F(ControlGroups, SetNoLimitIfNoneIsConfigured) {
  auto limits = read_control_group_limits(root_.path());
  EXPECT_FALSE(limits.cores);
  EXPECT_FALSE(limits.memory_bytes);
  mount_version_2("/user.slice");
  write("sys/fs/cgroup/user.slice/cpu.max", "max 100000");
  write("sys/fs/cgroup/user.slice/memory.max", "max");
  limits = read_control_group_limits(root_.path());
  EXPECT_FALSE(limits.cores);
  EXPECT_FALSE(limits.memory_bytes);
}

TEST_F(ControlGroups, OfVersion2ApplyTheLowestLimitOfAllParents) {
  mount_version_2("/job/step/task");
  write("sys/fs/cgroup/job/cpu.max", "250000 100000");
  write("sys/fs/cgroup/job/memory.max", "8589934592");
  write("sys/fs/cgroup/job/step/cpu.max", "800000 100000");
  write("sys/fs/cgroup/job/step/memory.max", "max");
  write("sys/fs/cgroup/job/step/task/cpu.max", "max 100000");
  const auto limits = read_control_group_limits(root_.path());
  EXPECT_EQ(limits.cores, 2.5);
  EXPECT_EQ(limits.memory_bytes, 8589934592U);
}

TEST_F(ControlGroups, OfAContainerAreReadAtTheMountPoint) {
  mount_version_2("/");  // a container with its own cgroup namespace
  write("sys/fs/cgroup/cpu.max", "200000 100000");
  EXPECT_EQ(read_control_group_limits(root_.path()).cores, 2);
  mount_version_2("/docker/abc", "/docker/abc");  // a container without its own cgroup namespace
  EXPECT_EQ(read_control_group_limits(root_.path()).cores, 2);
  mount_version_2("/../elsewhere");  // a group outside the namespace
  EXPECT_EQ(read_control_group_limits(root_.path()).cores, 2);
}

TEST_F(ControlGroups, OfVersion1AreFoundByTheirControllers) {
  write("proc/self/mountinfo",
        "30 25 0:26 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
        "31 25 0:27 /docker/abc /cgroup/memory rw - cgroup cgroup rw,memory\n"
        "32 25 0:28 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset");
  write("proc/self/cgroup", "5:cpuset:/\n4:cpu,cpuacct:/docker/abc\n3:memory:/docker/abc");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000");
  write("sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us", "50000");
  write("sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us", "100000");
  write("cgroup/memory/memory.limit_in_bytes", "1073741824");
  auto limits = read_control_group_limits(root_.path());
  EXPECT_EQ(limits.cores, 0.5);
  EXPECT_EQ(limits.memory_bytes, 1073741824U);
  write("cgroup/memory/memory.limit_in_bytes", "9223372036854771712");
  EXPECT_FALSE(read_control_group_limits(root_.path()).memory_bytes);
}

TEST_F(ControlGroups, IgnoreDamagedFiles) {
  mount_version_2("/");
  write("proc/self/mountinfo", "30 21\n- cgroup2\n x - cgroup2\n30 21 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw");
  write("proc/self/cgroup", "nothing\n0:\n0::/");
  for (const std::string text : {"", "0 100000", "-5 100000", "100000", "1 0", "words"}) {
    write("sys/fs/cgroup/cpu.max", text);
    EXPECT_FALSE(read_control_group_limits(root_.path()).cores) << text;
  }
}

}  // namespace
}  // namespace slopegan::testing
