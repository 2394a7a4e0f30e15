#include "support/cache_contents.h"

#include <ctime>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expect_error.h"
#include "support/cache_directory.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CacheContents : public ::testing::Test {
 protected:
  fs::path make(const std::string& name, const std::string& content, const fs::path& source = {}) {
    const fs::path file = cache_.path() / name;
    wait_for_cache_lock(file);
    std::ofstream(file) << content;
    if (!source.empty()) note_cache_use(file, source);
    return file;
  }
  const CacheDirectory cache_;
  const TemporaryDirectory data_;
};

TEST_F(CacheContents, ListEachEntryWithItsSizeSourcesAndLastUse) {
  const auto pack = make("packed/a.images", "12345", data_.path());
  const auto features = make("features/b.safetensors", "123");
  const auto entries = cache_entries();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].file, features);
  EXPECT_EQ(entries[0].bytes, 3u);
  EXPECT_THAT(entries[0].sources, IsEmpty());
  EXPECT_FALSE(entries[0].last_use.has_value());
  EXPECT_EQ(entries[1].file, pack);
  EXPECT_EQ(entries[1].bytes, 5u);
  EXPECT_THAT(entries[1].sources, ElementsAre(fs::canonical(data_.path())));
  EXPECT_LE(entries[1].last_use.value(), std::time(nullptr));
}

TEST_F(CacheContents, IncludeTheFilesOfAnInterruptedProcess) {
  make("packed/a.part", "12345");
  make("packed/a.progress", "1");
  const auto entries = cache_entries();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].file, cache_.path() / "packed/a.images");
  EXPECT_EQ(entries[0].bytes, 6u);
  EXPECT_EQ(entries[0].parts.size(), 2u);
}

TEST_F(CacheContents, AreEmptyIfTheCacheDoesNotExist) {
  const CacheDirectory missing((cache_.path() / "missing").string());
  EXPECT_THAT(cache_entries(), IsEmpty());
  EXPECT_TRUE(foreign_directories().empty());
}

TEST_F(CacheContents, DoNotIncludeDataSetsOfOtherPrograms) {
  const auto pack = make("packed/a.images", "12345", data_.path());
  fs::create_directories(cache_.path() / "emoji/train");
  std::ofstream(cache_.path() / "emoji/train/a.png") << "123";
  std::ofstream(cache_.path() / "emoji/b.png") << "1234";
  fs::create_directory(cache_.path() / "an_empty_one");
  ASSERT_EQ(cache_entries().size(), 1u);
  EXPECT_EQ(cache_entries()[0].file, pack);
  const auto foreign = foreign_directories();
  ASSERT_EQ(foreign.size(), 2u);
  EXPECT_EQ(foreign[0].name, "an_empty_one");
  EXPECT_EQ(foreign[0].files, 0u);
  EXPECT_EQ(foreign[1].name, "emoji");
  EXPECT_EQ(foreign[1].files, 2u);
  EXPECT_EQ(foreign[1].bytes, 7u);
}

TEST_F(CacheContents, HaveLostTheirSourcesOnlyIfAllKnownSourcesAreGone) {
  const auto original = data_ / "original", copy = data_ / "copy";
  fs::create_directory(original);
  fs::create_directory(copy);
  const auto file = make("packed/a.images", "12345", original);
  note_cache_use(file, copy);
  note_cache_use(file, copy);
  make("packed/unknown.images", "12345");
  EXPECT_EQ(cache_entries()[0].sources.size(), 2u);
  fs::remove(original);
  EXPECT_FALSE(cache_entries()[0].lost_its_source());
  fs::remove(copy);
  EXPECT_TRUE(cache_entries()[0].lost_its_source());
  EXPECT_FALSE(cache_entries()[1].lost_its_source());
}

TEST_F(CacheContents, AreRemovedUnlessAProcessIsCreatingThem) {
  const auto file = make("packed/a.images", "12345", data_ / "gone");
  const auto entry = cache_entries().at(0);
  {
    const FileLock lock = wait_for_cache_lock(file);
    EXPECT_THROW(remove_cache_entry(entry), BusyError);
    EXPECT_TRUE(fs::exists(file));
  }
  remove_cache_entry(entry);
  EXPECT_FALSE(fs::exists(file));
  EXPECT_FALSE(fs::exists(cache_record(file)));
  EXPECT_THAT(cache_entries(), IsEmpty());
}

}  // namespace
}  // namespace slopegan
