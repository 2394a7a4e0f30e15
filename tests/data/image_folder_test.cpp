#include "data/image_folder.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>

#include "expect_error.h"
#include "images/image_file.h"
#include "support/errors.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ListFolder : public ::testing::Test {
 protected:
  /// Only the names matter here.
  void file(const std::string& name, const std::string& content = "x") {
    fs::create_directories((directory_ / name).parent_path());
    directory_.write(name, content);
  }
  FolderImages list(Split split = Split::train) { return list_folder(directory_.path(), split); }

  const TemporaryDirectory directory_;
};

TEST_F(ListFolder, FindsImagesInSubdirectoriesInSortedOrder) {
  file("b.jpg");
  file("a/2.WebP");
  file("a/10.png");
  file("c.JPEG");
  file("notes.txt");
  file("._c.JPEG");
  file(".thumbnails/a.png");
  fs::create_directory(directory_ / "d.png");
  EXPECT_THAT(image_files(directory_.path()), ElementsAre("a/10.png", "a/2.WebP", "b.jpg", "c.JPEG"));
}

TEST_F(ListFolder, UsesTheTopLevelDirectoryAsLabel) {
  file("dogs/a.png");
  file("cats/b.png");
  file("cats/old/c.png");
  const auto images = list();
  EXPECT_THAT(images.class_names, ElementsAre("cats", "dogs"));
  EXPECT_THAT(images.files, ElementsAre("cats/b.png", "cats/old/c.png", "dogs/a.png"));
  EXPECT_THAT(images.labels, ElementsAre(0, 0, 1));
}

TEST_F(ListFolder, HasNoLabelsIfAFileIsOutsideOrAllShareOneDirectory) {
  file("photos/a.png");
  file("photos/b.png");
  EXPECT_THAT(list().labels, IsEmpty());
  file("more/c.png");
  EXPECT_EQ(list().labels.size(), 3u);
  file("d.png");
  EXPECT_THAT(list().labels, IsEmpty());
}

TEST_F(ListFolder, GivesTheTestSplitTheLabelsOfTheTrainingSplit) {
  file("train/cats/a.png");
  file("train/dogs/b.png");
  EXPECT_FALSE(split_folder(directory_.path(), Split::test));
  EXPECT_THAT(message_of<DataError>([&] { list(Split::test); }), HasSubstr("has no test images"));
  file("val/dogs/c.png");
  EXPECT_THAT(list(Split::test).labels, ElementsAre(1));
  file("test/cats/d.png");  // is preferred over val
  EXPECT_THAT(list(Split::test).labels, ElementsAre(0));
  EXPECT_THAT(list().files, ElementsAre("cats/a.png", "dogs/b.png"));
  file("test/birds/e.png");
  EXPECT_THAT(message_of<DataError>([&] { list(Split::test); }), HasSubstr("birds/e.png is in none"));
}

TEST_F(ListFolder, FingerprintDependsOnNamesSizesAndTimes) {
  file("a.png");
  const std::string before = list().fingerprint;
  EXPECT_EQ(list().fingerprint, before);
  file("a.png", "xy");
  const std::string longer = list().fingerprint;
  EXPECT_NE(longer, before);
  fs::last_write_time(directory_ / "a.png", fs::last_write_time(directory_ / "a.png") - std::chrono::seconds(1));
  EXPECT_NE(list().fingerprint, longer);
  const std::string older = list().fingerprint;
  fs::rename(directory_ / "a.png", directory_ / "b.png");
  EXPECT_NE(list().fingerprint, older);
}

TEST_F(ListFolder, DoesNotFollowLinksToDirectories) {
  file("a.png");
  fs::create_directory_symlink(directory_.path(), directory_ / "again");
  EXPECT_THAT(image_files(directory_.path()), ElementsAre("a.png"));
}

}  // namespace
}  // namespace slopegan
