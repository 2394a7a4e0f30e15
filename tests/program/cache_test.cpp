#include <sys/stat.h>

#include <gmock/gmock.h>
#include <opencv2/imgcodecs.hpp>

#include "program.h"
#include "support/text.h"
#include "temporary_directory.h"

namespace slopegan::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Cache : public ProgramTest {
 protected:
  void write_images(const std::string& folder) const {
    fs::create_directories(directory_ / folder);
    for (int i = 0; i < 8; ++i) {
      cv::Mat image(40, 40, CV_8UC3);
      cv::randu(image, cv::Scalar::all(0), cv::Scalar::all(256));
      cv::imwrite(directory_ / folder / format_text("{:03}.png", i), image);
    }
  }
  Result look_at(const std::string& path, const std::function<void()>& prepare = {}) {
    return run(directory_.path(),
               {"data", config_file("smoke.yaml"), "data.kind=image_folder", "data.path=" + path, "--out",
                (directory_ / "reals.png").string()},
               prepare);
  }
  std::size_t packs() const {
    return static_cast<std::size_t>(
        std::count_if(fs::directory_iterator(cache_.path() / "packed"), {},
                      [](const auto& entry) { return entry.path().extension() == ".images"; }));
  }

  const CacheDirectory cache_;
};

TEST_F(Cache, ContainsAFolderOnceRegardlessOfHowItsPathIsWritten) {
  write_images("photos");
  fs::create_directory_symlink(directory_ / "photos", directory_ / "link");
  const auto photos = (directory_ / "photos").string();
  const auto relative = fs::relative(photos).string();
  EXPECT_THAT(look_at(photos).err, HasSubstr("packing"));
  for (const auto& path : {photos + "/", photos + "//", directory_.path().string() + "/./photos/../photos", relative,
                           "./" + relative + "/", (directory_ / "link").string(), (directory_ / "link/").string()}) {
    const auto again = look_at(path);
    EXPECT_EQ(again.code, 0) << again.err;
    EXPECT_THAT(again.err, Not(HasSubstr("packing"))) << path;
  }
  EXPECT_EQ(packs(), 1u);
}

TEST_F(Cache, IsListedAndPrunedWithoutAConfiguration) {
  write_images("photos");
  write_images("others");
  look_at((directory_ / "photos").string());
  look_at((directory_ / "others").string());
  std::ofstream(cache_.path() / "packed/old.images") << "from an earlier version";
  const auto listed = slopegan({"data", "--cache"});
  ASSERT_EQ(listed.code, 0) << listed.err;
  EXPECT_THAT(listed.out, AllOf(HasSubstr(cache_.path().string() + ": 3 entries"), HasSubstr("/photos\n"),
                                HasSubstr("/others\n"), HasSubstr("unknown"), HasSubstr("old.images")));
  fs::remove_all(directory_ / "photos");
  EXPECT_THAT(slopegan({"data", "--cache"}).out, HasSubstr("/photos (gone)"));
  const auto pruned = slopegan({"data", "--cache", "--prune"});
  ASSERT_EQ(pruned.code, 0) << pruned.err;
  EXPECT_THAT(pruned.out, AllOf(HasSubstr("removed, because the sources are gone: 1 entry"), HasSubstr("2 entries")));
  EXPECT_EQ(packs(), 2u);
  EXPECT_TRUE(fs::exists(cache_.path() / "packed/old.images"));
  EXPECT_THAT(slopegan({"data", "--cache"}).out, Not(HasSubstr("photos")));
}

TEST_F(Cache, ListsADataSetOnOneLineAndNeverPrunesIt) {
  fs::create_directories(cache_.path() / "emoji");
  for (const char* name : {"emoji/a.png", "emoji/b.png"}) std::ofstream(cache_.path() / name) << "image";
  const auto pruned = slopegan({"data", "--cache", "--prune"});
  ASSERT_EQ(pruned.code, 0) << pruned.err;
  EXPECT_THAT(pruned.out,
              AllOf(HasSubstr(": 0 entries"), HasSubstr("data set     emoji: 2 files\n"), Not(HasSubstr("a.png"))));
  EXPECT_TRUE(fs::exists(cache_.path() / "emoji/a.png"));
}

TEST_F(Cache, FilesHaveTheWritePermissionsOfTheDirectoryRegardlessOfTheUmask) {
  write_images("photos");
  fs::permissions(cache_.path(), static_cast<fs::perms>(02777));
  const auto result = look_at((directory_ / "photos").string(), [] { ::umask(0077); });
  ASSERT_EQ(result.code, 0) << result.err;
  for (const auto& entry : fs::recursive_directory_iterator(cache_.path())) {
    const auto expected = entry.is_directory() ? 02777u : 0666u;
    EXPECT_EQ(entry.status().permissions(), static_cast<fs::perms>(expected)) << entry.path();
  }
}

TEST_F(Cache, TheErrorNamesTheEnvironmentVariableIfTheCacheCannotBeWritten) {
  write_images("photos");
  const CacheDirectory file((directory_.write("file", "") / "cache").string());
  const auto result = look_at((directory_ / "photos").string());
  EXPECT_EQ(result.code, 6);
  EXPECT_THAT(result.err, AllOf(HasSubstr("cannot pack images"), HasSubstr("SLOPEGAN_CACHE")));
}

TEST_F(Cache, DataWithoutAConfigurationNeedsTheCacheOption) {
  EXPECT_EQ(slopegan({"data"}).code, 2);
  EXPECT_EQ(slopegan({"data", "--prune"}).code, 2);
}

TEST_F(Cache, TheCacheOptionRejectsAConfigurationAndPictureOptions) {
  for (const std::string& more :
       {config_file("smoke.yaml"), std::string("--out=a.png"), std::string("--dark"), std::string("--pixel-ratio=2")}) {
    const auto result = slopegan({"data", "--cache", more});
    EXPECT_EQ(result.code, 2);
    EXPECT_THAT(result.err, HasSubstr("be combined with CONFIG, --out, --dark or --pixel-ratio"));
  }
}

}  // namespace
}  // namespace slopegan::testing
