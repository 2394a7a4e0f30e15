#include "data/folder_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/folder_files.h"

namespace slopegan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// The training and test directories of a folder with an image in each of `directories`, or "" if there is none.
std::pair<std::string, std::string> splits(const std::vector<std::string>& directories) {
  const FolderOfFiles folder;
  for (const auto& directory : directories) folder.file(directory + "/a.jpg");
  const auto layout = find_layout(folder.path());
  const std::string base = layout.base.lexically_relative(folder.path()).string();
  const auto name = [&](const std::vector<std::string>& names) {
    return names.empty() ? "" : (base == "." ? "" : base + "/") + names.front();
  };
  return {name(layout.train), name(layout.test)};
}

using Splits = std::pair<std::string, std::string>;

TEST(FindLayout, RecognisesTheCommonNamesOfSplitsRegardlessOfCase) {
  EXPECT_EQ(splits({"train", "test"}), Splits("train", "test"));
  EXPECT_EQ(splits({"Training", "Testing"}), Splits("Training", "Testing"));
  EXPECT_EQ(splits({"training", "validation"}), Splits("training", "validation"));
  EXPECT_EQ(splits({"Train", "Test"}), Splits("Train", "Test"));
  EXPECT_EQ(splits({"TRAIN", "Valid"}), Splits("TRAIN", "Valid"));
  EXPECT_EQ(splits({"train", "val", "test"}), Splits("train", "test"));
  EXPECT_EQ(splits({"seg_pred", "seg_test", "seg_train"}), Splits("seg_train", "seg_test"));
  EXPECT_EQ(splits({"train2017", "val2017"}), Splits("train2017", "val2017"));
  EXPECT_EQ(splits({"train", "test1"}), Splits("train", "test1"));
  EXPECT_EQ(splits({"Training Data", "Test Data"}), Splits("Training Data", "Test Data"));
}

TEST(FindLayout, TreatsOtherNamesAsClasses) {
  EXPECT_EQ(splits({"cat", "dog"}), Splits("", ""));
  EXPECT_EQ(splits({"airport", "train_station"}), Splits("", ""));
  EXPECT_EQ(splits({"bus", "car", "train"}), Splits("", ""));  // classes of vehicles
  EXPECT_EQ(splits({"bus", "car", "train", "val"}), Splits("train", "val"));
}

TEST(FindLayout, EntersFoldersThatOnlyWrapTheData) {
  EXPECT_EQ(splits({"archive/train", "archive/test"}), Splits("archive/train", "archive/test"));
  EXPECT_EQ(splits({"a/b/Training", "a/b/Testing"}), Splits("a/b/Training", "a/b/Testing"));
  EXPECT_EQ(splits({"archive/seg_train/seg_train/sea", "archive/seg_train/seg_train/ice", "archive/seg_test/seg_test"}),
            Splits("archive/seg_train/seg_train", "archive/seg_test"));
  EXPECT_EQ(splits({"bottle/train", "bottle/test", "cable/train", "cable/test"}), Splits("", ""));
  const FolderOfFiles folder;
  folder.file("dataset/cat/a.jpg");
  folder.file("dataset/dog/a.jpg");
  folder.file("README.txt", "text");
  EXPECT_EQ(find_layout(folder.path()).base, folder.path("dataset"));
}

TEST(FindLayout, TreatsTrainAAndTrainBAsTwoDomains) {
  const FolderOfFiles folder;
  for (const char* name : {"horse/trainA/a.jpg", "horse/trainB/a.jpg", "horse/testA/a.jpg", "horse/testB/a.jpg"}) {
    folder.file(name);
  }
  const auto layout = find_layout(folder.path());
  EXPECT_EQ(layout.base, folder.path("horse"));
  EXPECT_THAT(layout.train, ElementsAre("trainA", "trainB"));
  EXPECT_THAT(layout.test, ElementsAre("testA", "testB"));
}

TEST(FindLayout, ReportsWhatIsNotUsed) {
  const FolderOfFiles folder;
  for (const char* name : {"train/a.jpg", "test/a.jpg", "val/a.jpg", "unlabelled/a.jpg", "cover.jpg"}) {
    folder.file(name);
  }
  folder.file("annotations/a.xml", "text");
  EXPECT_THAT(find_layout(folder.path()).notes,
              ElementsAre("splits: training images from train, test images from test",
                          "unused directories next to the training images: unlabelled, val",
                          HasSubstr(" are not used, because the splits are in subdirectories")));
}

TEST(FindLayout, IgnoresATestSplitWithoutImages) {
  const FolderOfFiles folder;
  folder.file("train/a.jpg");
  folder.file("test/notes.txt", "text");
  EXPECT_THAT(find_layout(folder.path()).test, IsEmpty());
  folder.file("val/a.jpg");
  EXPECT_THAT(find_layout(folder.path()).test, ElementsAre("val"));
}

TEST(FindLayout, IgnoresAnnotationsThatAreSplitLikeTheImages) {
  const FolderOfFiles detection;  // the layout of YOLO data sets
  for (const char* split : {"train/", "val/"}) {
    detection.file(std::string("images/") + split + "a.jpg");
    detection.file(std::string("labels/") + split + "a.txt", "0 0.5 0.5 1 1");
  }
  const auto layout = find_layout(detection.path());
  EXPECT_EQ(layout.base, detection.path("images"));
  EXPECT_THAT(layout.train, ElementsAre("train"));
  EXPECT_THAT(layout.test, ElementsAre("val"));
  const FolderOfFiles flat;
  for (const char* split : {"train", "test"}) {
    flat.file(std::string(split) + "_gt/a.txt", "text");
    flat.file(std::string(split) + "_images/a.jpg");
  }
  EXPECT_THAT(find_layout(flat.path()).train, ElementsAre("train_images"));
  EXPECT_THAT(find_layout(flat.path()).test, ElementsAre("test_images"));
}

TEST(FindLayout, EntersTheOnlyDirectoryWithImages) {
  const FolderOfFiles folder;
  folder.file("cub/images/001.albatross/a.jpg");
  folder.file("cub/images/002.auklet/b.jpg");
  folder.file("cub/attributes/list.txt", "text");
  folder.file("cub/parts/locations/list.txt", "text");
  EXPECT_EQ(find_layout(folder.path()).base, folder.path("cub/images"));
  EXPECT_EQ(find_layout(folder.path("cub")).base, folder.path("cub/images"));
  folder.file("cub/parts/example.jpg");
  EXPECT_EQ(find_layout(folder.path("cub")).base, folder.path("cub"));
}

TEST(FindLayout, EntersADirectoryOnlyIfNoImageIsNextToIt) {
  const FolderOfFiles folder;
  folder.file("images/a/a.jpg");
  folder.file("images/b/b.jpg");
  folder.file("attributes/list.txt", "text");
  folder.file("cover.jpg");
  EXPECT_EQ(find_layout(folder.path()).base, folder.path());
}

TEST(FindLayout, DoesNotMistakeARunForASplit) {
  const FolderOfFiles folder;
  folder.file("train/a.jpg");
  for (const char* name : {"config.yaml", "overrides.yaml", "run.json", "reals.png"}) {
    folder.file(std::string("test/") + name);
  }
  EXPECT_THAT(find_layout(folder.path()).test, IsEmpty());
}

TEST(FindLayout, SelectsATrainingSplitWithoutImagesInsteadOfTheTestSplit) {
  const FolderOfFiles folder;
  folder.file("train/notes.txt", "text");
  folder.file("test/a.jpg");
  EXPECT_THAT(find_layout(folder.path()).train, ElementsAre("train"));
  const FolderOfFiles wrapped;
  wrapped.file("data/train/notes.txt", "text");
  wrapped.file("data/test/a.jpg");
  wrapped.file("documents/a.txt", "text");
  EXPECT_EQ(find_layout(wrapped.path()).base, wrapped.path("data"));
}

}  // namespace
}  // namespace slopegan
