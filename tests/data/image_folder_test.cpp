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
    return list_folder(folder_.path(), split, rules);
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

TEST_F(ListFolder, UsesATestSplitThatDoesNotFitWithoutLabels) {
  file("train/cat/a.png");
  file("train/dog/b.png");
  file("test/1.jpg");
  const auto test = list(Split::test);
  EXPECT_THAT(test.files, ElementsAre("1.jpg"));
  EXPECT_THAT(test.labels, IsEmpty());
  EXPECT_THAT(test.warnings, ElementsAre(HasSubstr("1.jpg is in none of the directories of the training images")));
}

TEST_F(ListFolder, LeavesAStrayImageOutUnlessLabelsAreNotUsed) {
  file("cat/a.png");
  file("cover.jpg");
  file("dog/b.png");
  EXPECT_THAT(list().files, ElementsAre("cat/a.png", "dog/b.png"));
  EXPECT_THAT(list().labels, ElementsAre(0, 1));
  const auto all = list(Split::train, {.labels = false});
  EXPECT_THAT(all.files, ElementsAre("cat/a.png", "cover.jpg", "dog/b.png"));
  EXPECT_THAT(all.labels, IsEmpty());
  EXPECT_THAT(all.warnings, IsEmpty());
}

TEST_F(ListFolder, LabelsTwoDomains) {
  for (const char* name : {"trainA/a.jpg", "trainB/b.jpg", "testA/c.jpg", "testB/d.jpg"}) file(name);
  EXPECT_THAT(list().files, ElementsAre("trainA/a.jpg", "trainB/b.jpg"));
  EXPECT_THAT(list().labels, ElementsAre(0, 1));
  EXPECT_THAT(list().class_names, ElementsAre("A", "B"));
  EXPECT_THAT(list(Split::test).labels, ElementsAre(0, 1));
}

TEST_F(ListFolder, KeepsTheRulesOfVersion0Point9) {
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

class LoadImageFolder : public ::testing::Test {
 protected:
  void gray(const std::string& name, int value, int size = 16) {
    std::filesystem::create_directories((directory_ / name).parent_path());
    write_png(directory_ / name, cv::Mat(size, size, CV_8UC1, cv::Scalar(value)));
  }
  void blue(const std::string& name) {
    write_png(directory_ / name, cv::Mat(16, 16, CV_8UC3, cv::Scalar(255, 10, 0)));  // BGR
  }
  const TemporaryDirectory directory_;
};

TEST_F(LoadImageFolder, ReadsPngAndJpegInSortedOrder) {
  gray("b.png", 20);
  gray("a/z.PNG", 10);
  cv::imwrite(directory_ / "c.jpg", cv::Mat(16, 16, CV_8UC1, cv::Scalar(30)));
  directory_.write("notes.txt", "skipped");
  const auto dataset = load_image_folder(directory_.path(), 0, 16);
  EXPECT_EQ(dataset.images.sizes(), (std::vector<std::int64_t>{3, 1, 16, 16}));
  EXPECT_EQ(dataset.images.select(2, 0).select(2, 0).flatten().to(at::kLong).sum().item<std::int64_t>(), 60);
  EXPECT_EQ(dataset.images[0][0][0][0].item<int>(), 10);
  EXPECT_FALSE(dataset.has_labels());
  EXPECT_EQ(dataset.name, directory_.path().filename());
}

TEST_F(LoadImageFolder, FitsImagesToTheResolutionAsTrainingDoes) {
  gray("a.png", 200, 28);
  gray("b.png", 200, 100);
  const auto dataset = load_image_folder(directory_.path(), 0, 32);
  EXPECT_EQ(dataset.images.size(3), 32);
  EXPECT_EQ(dataset.images[0][0][0][0].item<int>(), 200);  // 28 is enlarged to 32, without a black frame
  EXPECT_EQ(dataset.images[1][0][0][0].item<int>(), 200);  // 100 is resized
}

TEST_F(LoadImageFolder, IsColouredIfAnyImageIs) {
  gray("a.png", 7);
  blue("b.png");
  const auto dataset = load_image_folder(directory_.path(), 0, 16);
  EXPECT_EQ(dataset.channels(), 3);
  const auto pixel = [&](std::int64_t i) { return dataset.images[i].select(1, 0).select(1, 0).to(at::kLong); };
  EXPECT_TRUE(at::equal(pixel(0), at::tensor({7, 7, 7}, at::kLong)));
  EXPECT_TRUE(at::equal(pixel(1), at::tensor({0, 10, 255}, at::kLong)));  // RGB
}

TEST_F(LoadImageFolder, ConvertsToTheRequestedChannels) {
  gray("a.png", 7);
  EXPECT_EQ(load_image_folder(directory_.path(), 3, 16).channels(), 3);
  write_png(directory_ / "b.png", cv::Mat(16, 16, CV_8UC3, cv::Scalar(9, 9, 9)));  // gray in three channels
  EXPECT_EQ(load_image_folder(directory_.path(), 1, 16).images[1][0][0][0].item<int>(), 9);
  blue("c.png");
  EXPECT_THAT(message_of<DataError>([&] { load_image_folder(directory_.path(), 1, 16); }),
              HasSubstr("c.png is coloured"));
}

TEST_F(LoadImageFolder, NamesTheFileAndItsDefect) {
  const auto refused = [](const std::filesystem::path& path) {
    return message_of<DataError>([&] { load_image_folder(path, 0, 16); });
  };
  EXPECT_THAT(refused(directory_.path()), HasSubstr("holds no PNG, JPEG, WebP, BMP, TIFF or GIF images"));
  EXPECT_THAT(refused(directory_ / "missing"), HasSubstr("missing: No such file"));
  directory_.write("bad.png", "not an image");
  EXPECT_THAT(refused(directory_.path()), HasSubstr("bad.png: not a PNG, JPEG, WebP, BMP"));
}

}  // namespace
}  // namespace slopegan
