#include "support/cache_directory.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "temporary_directory.h"

namespace slopegan {
namespace {

TEST(CacheDir, FollowsTheEnvironmentVariable) {
  const CacheDirectory cache;
  EXPECT_EQ(cache_dir(), cache.path());
}

TEST(CacheLock, CreatesTheDirectoryAndIsExclusive) {
  const CacheDirectory cache;
  const auto file = cache.path() / "kind/file";
  {
    const FileLock lock = wait_for_cache_lock(file);
    EXPECT_TRUE(std::filesystem::exists(file.string() + ".lock"));
  }
  wait_for_cache_lock(file);  // released
}

TEST(ExpandHome, ReplacesOnlyALeadingTilde) {
  const std::filesystem::path home = std::getenv("HOME") != nullptr ? std::getenv("HOME") : "";
  if (!home.is_absolute()) GTEST_SKIP() << "no HOME";
  EXPECT_EQ(expand_home("~/images/cats"), home / "images/cats");
  for (const char* path : {"~", "~other/images", "images/~/cats", "/images", ""}) EXPECT_EQ(expand_home(path), path);
}

}  // namespace
}  // namespace slopegan
