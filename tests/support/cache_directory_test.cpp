#include "support/cache_directory.h"

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "temporary_directory.h"

namespace slopegan {
namespace {

namespace fs = std::filesystem;

TEST(CacheDir, FollowsTheEnvironmentVariable) {
  const CacheDirectory cache;
  EXPECT_EQ(cache_dir(), cache.path());
  const CacheDirectory with_a_slash(cache.path().string() + "/");
  EXPECT_EQ(cache_dir(), cache.path());
}

TEST(CacheLock, CreatesTheDirectoryAndIsReleasedOnDestruction) {
  const CacheDirectory cache;
  const auto file = cache.path() / "kind/file";
  {
    const FileLock lock = wait_for_cache_lock(file);
    EXPECT_TRUE(std::filesystem::exists(file.string() + ".lock"));
  }
  wait_for_cache_lock(file);  // released
}

fs::perms mode_of(const fs::path& path) { return fs::status(path).permissions(); }

class CacheModes : public ::testing::Test {
 protected:
  CacheModes() : umask_(::umask(0077)) {}
  ~CacheModes() override { ::umask(umask_); }
  const CacheDirectory cache_;
  const fs::path file_ = cache_.path() / "kind/file";

 private:
  mode_t umask_;
};

TEST_F(CacheModes, MatchTheDirectoryOfASharedCache) {
  for (const unsigned mode : {02777u, 02775u, 0777u}) {
    fs::remove_all(cache_.path() / "kind");
    fs::permissions(cache_.path(), static_cast<fs::perms>(mode));
    wait_for_cache_lock(file_);
    note_cache_use(file_, "/somewhere");
    EXPECT_EQ(mode_of(cache_.path() / "kind"), static_cast<fs::perms>(mode));
    EXPECT_EQ(mode_of(cache_record(file_).parent_path()), static_cast<fs::perms>(mode));
    for (const auto& path : {fs::path(file_.string() + ".lock"), cache_record(file_)}) {
      EXPECT_EQ(mode_of(path), static_cast<fs::perms>(mode & 0666)) << path;
    }
    fs::remove_all(cache_.path() / "sources");
  }
}

TEST_F(CacheModes, StayPrivateInAPrivateCache) {
  fs::permissions(cache_.path(), fs::perms::owner_all);
  wait_for_cache_lock(file_);
  EXPECT_EQ(mode_of(cache_.path() / "kind"), fs::perms::owner_all);
  EXPECT_EQ(mode_of(file_.string() + ".lock"), fs::perms::owner_read | fs::perms::owner_write);
}

TEST(CacheErrors, NameTheVariableThatSetsTheDirectory) {
  EXPECT_THAT(cache_error("cannot pack images", IoError("no space")).what(),
              ::testing::StartsWith("cannot pack images: no space; set SLOPEGAN_CACHE"));
}

}  // namespace
}  // namespace slopegan
