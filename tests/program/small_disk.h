#pragma once

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "program.h"

namespace slopegan::testing {

/// Runs `body` in a child process with an in-memory file system of `bytes` bytes mounted at `place`. The test fails if
/// `body` fails. Returns an empty string, or the reason why a file system cannot be mounted.
inline std::string on_small_disk(const std::filesystem::path& place, long bytes, const std::function<void()>& body) {
  constexpr int not_permitted = 77;
  std::filesystem::create_directories(place);
  const pid_t child = ::fork();
  if (child == 0) {
    const int space = ::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER;
    const std::string size = "size=" + std::to_string(bytes);
    if (::unshare(space) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", place.c_str(), "tmpfs", 0, size.c_str()) != 0) {
      ::_exit(not_permitted);
    }
    body();
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == not_permitted) return "mounting a file system is not permitted here";
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "on a disk of " << bytes << " bytes; see above";
  return "";
}

/// Remounts the file system at `place` with different options, to resize it or to make it read-only.
inline void remount(const std::filesystem::path& place, const std::string& options, unsigned long flags = 0) {
  ASSERT_EQ(::mount("tmpfs", place.c_str(), "tmpfs", MS_REMOUNT | flags, options.c_str()), 0) << std::strerror(errno);
}

}  // namespace slopegan::testing
