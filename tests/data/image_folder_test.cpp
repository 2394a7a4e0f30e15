#include "data/image_folder.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>

#include "data/folder_files.h"
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
  void file(const std::string& name, const std::string& content = jpeg_bytes) { folder_.file(name, content); }
  FolderImages list(Split split = Split::train, const FolderRules& rules = {}) {
    const FolderImages train = list_folder(folder_.path(), rules);
    return split == Split::train ? train : list_test_folder(folder_.path(), train, rules);
  }

  const FolderOfFiles folder_;
};

TEST_F(ListFolder, LabelsTrainingAndTestImagesAlike) {
  file("Train/cats/a.png");
  file("Train/dogs/b.png");
  EXPECT_THAT(message_of<DataError>([&] { list(Split::test); }), HasSubstr("has no test images"));
  file("Test/dogs/c.png");
  EXPECT_THAT(list().files, ElementsAre("cats/a.png", "dogs/b.png"));
  EXPECT_THAT(list().labels, ElementsAre(0, 1));
  EXPECT_THAT(list(Split::test).labels, ElementsAre(1));
  EXPECT_EQ(list(Split::test).root, folder_.path("Test"));
}

TEST_F(ListFolder, UsesNoTestLabelsIfTestImagesAreOutsideTheClassDirectories) {
  file("train/cat/a.png");
  file("train/dog/b.png");
  file("test/1.jpg");
  const auto test = list(Split::test);
  EXPECT_THAT(test.files, ElementsAre("1.jpg"));
  EXPECT_THAT(test.labels, IsEmpty());
  EXPECT_THAT(test.warnings,
              ElementsAre(HasSubstr("1.jpg is not in any of the class directories of the training images")));
}

TEST_F(ListFolder, OmitsAStrayImageOnlyIfLabelsAreUsed) {
  file("cat/a.png");
  file("cover.jpg");
  file("dog/b.png");
  EXPECT_THAT(list().files, ElementsAre("cat/a.png", "dog/b.png"));
  EXPECT_THAT(list().labels, ElementsAre(0, 1));
  const auto all = list(Split::train, {.labels = false});
  EXPECT_THAT(all.files, ElementsAre("cat/a.png", "cover.jpg", "dog/b.png"));
  EXPECT_THAT(all.labels, IsEmpty());
  EXPECT_THAT(all.warnings, IsEmpty());
  EXPECT_THAT(all.notes, ElementsAre("labels are not used (data.labels: none)"));
}

TEST_F(ListFolder, UsesTheClassesInsideTheOnlyDirectoryWithImages) {
  file("cub/images/001.albatross/a.jpg");
  file("cub/images/002.auklet/b.jpg");
  file("cub/attributes/list.txt", "text");
  EXPECT_THAT(list().class_names, ElementsAre("001.albatross", "002.auklet"));
  EXPECT_THAT(list().labels, ElementsAre(0, 1));
  EXPECT_EQ(list().root, folder_.path("cub/images"));
  EXPECT_THAT(list(Split::train, {.as_in_0_9 = true}).class_names, IsEmpty());
}

TEST_F(ListFolder, IgnoresRunsAndSweepsInTheFolder) {
  file("cat/a.jpg");
  file("dog/b.jpg");
  const FolderImages before = list();
  for (const char* name : {"config.yaml", "overrides.yaml", "run.json", "reals.png", "samples/100.png"}) {
    file(std::string("outputs/run/") + name);
  }
  for (const char* name : {"sweep.yaml", "contact_sheet.png", "runs/slope_0-seed_0/reals.png"}) {
    file(std::string("outputs/sweep/") + name);
  }
  const FolderImages after = list();
  EXPECT_EQ(after.files, before.files);
  EXPECT_EQ(after.class_names, before.class_names);
  EXPECT_EQ(after.fingerprint, before.fingerprint);
  EXPECT_EQ(after.root, before.root);
}

TEST_F(ListFolder, LabelsTwoDomains) {
  for (const char* name : {"trainA/a.jpg", "trainB/b.jpg", "testA/c.jpg", "testB/d.jpg"}) file(name);
  EXPECT_THAT(list().files, ElementsAre("trainA/a.jpg", "trainB/b.jpg"));
  EXPECT_THAT(list().labels, ElementsAre(0, 1));
  EXPECT_THAT(list().class_names, ElementsAre("A", "B"));
  EXPECT_THAT(list(Split::test).labels, ElementsAre(0, 1));
}

TEST_F(ListFolder, AppliesTheRulesOfVersion09OnRequest) {
  file("Train/a.jpg");
  file("Test/b.jpg");
  file("Test/c.jfif");
  file("Test/d", png_bytes);
  folder_.link("Train", "linked");
  const FolderRules old{.as_in_0_9 = true};
  const auto images = list(Split::train, old);
  EXPECT_THAT(images.files, ElementsAre("Test/b.jpg", "Train/a.jpg"));
  EXPECT_THAT(images.class_names, ElementsAre("Test", "Train"));
  file("cover.jpg");
  EXPECT_THAT(list(Split::train, old).labels, IsEmpty());
  EXPECT_THAT(message_of<DataError>([&] { list(Split::test, old); }), HasSubstr("has no test images"));
}

TEST_F(ListFolder, FingerprintDependsOnNamesSizesAndTimes) {
  file("a.png");
  const std::string before = list().fingerprint;
  EXPECT_EQ(list().fingerprint, before);
  file("a.png", "xy");
  const std::string longer = list().fingerprint;
  EXPECT_NE(longer, before);
  fs::last_write_time(folder_.path("a.png"), fs::last_write_time(folder_.path("a.png")) - std::chrono::seconds(1));
  EXPECT_NE(list().fingerprint, longer);
  const std::string older = list().fingerprint;
  fs::rename(folder_.path("a.png"), folder_.path("b.png"));
  EXPECT_NE(list().fingerprint, older);
}

}  // namespace
}  // namespace slopegan
