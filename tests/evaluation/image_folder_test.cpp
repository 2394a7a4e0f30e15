#include "evaluation/image_folder.h"

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

using ::testing::HasSubstr;

class ImageFolder : public ::testing::Test {
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

TEST_F(ImageFolder, ReadsPngAndJpegBelowItInTheOrderOfTheirPaths) {
  gray("b.png", 20);
  gray("a/z.PNG", 10);
  cv::imwrite(directory_ / "c.jpg", cv::Mat(16, 16, CV_8UC1, cv::Scalar(30)));
  directory_.write("notes.txt", "not looked at");
  const auto dataset = load_image_folder(directory_.path(), 0, 16);
  EXPECT_EQ(dataset.images.sizes(), (std::vector<std::int64_t>{3, 1, 16, 16}));
  EXPECT_EQ(dataset.images.select(2, 0).select(2, 0).flatten().to(at::kLong).sum().item<std::int64_t>(), 60);
  EXPECT_EQ(dataset.images[0][0][0][0].item<int>(), 10);
  EXPECT_FALSE(dataset.has_labels());
  EXPECT_EQ(dataset.name, directory_.path().filename());
}

TEST_F(ImageFolder, BringsEverySizeToTheResolutionAsTrainingDoes) {
  gray("a.png", 200, 28);
  gray("b.png", 200, 100);
  const auto dataset = load_image_folder(directory_.path(), 0, 32);
  EXPECT_EQ(dataset.images.size(3), 32);
  EXPECT_EQ(dataset.images[0][0][0][0].item<int>(), 0);  // 28 is padded to 32
  EXPECT_EQ(dataset.images[0][0][2][2].item<int>(), 200);
  EXPECT_EQ(dataset.images[1][0][0][0].item<int>(), 200);  // 100 is made smaller
}

TEST_F(ImageFolder, IsColouredWhereOneImageIs) {
  gray("a.png", 7);
  blue("b.png");
  const auto dataset = load_image_folder(directory_.path(), 0, 16);
  EXPECT_EQ(dataset.channels(), 3);
  const auto pixel = [&](std::int64_t i) { return dataset.images[i].select(1, 0).select(1, 0).to(at::kLong); };
  EXPECT_TRUE(at::equal(pixel(0), at::tensor({7, 7, 7}, at::kLong)));
  EXPECT_TRUE(at::equal(pixel(1), at::tensor({0, 10, 255}, at::kLong)));  // RGB
}

TEST_F(ImageFolder, IsBroughtToTheChannelsThatAreAskedFor) {
  gray("a.png", 7);
  EXPECT_EQ(load_image_folder(directory_.path(), 3, 16).channels(), 3);
  write_png(directory_ / "b.png", cv::Mat(16, 16, CV_8UC3, cv::Scalar(9, 9, 9)));  // gray in three channels
  EXPECT_EQ(load_image_folder(directory_.path(), 1, 16).images[1][0][0][0].item<int>(), 9);
  blue("c.png");
  EXPECT_THAT(message_of<DataError>([&] { load_image_folder(directory_.path(), 1, 16); }),
              HasSubstr("c.png is coloured"));
}

TEST_F(ImageFolder, NamesWhatIsWrong) {
  const auto refused = [](const std::filesystem::path& path) {
    return message_of<DataError>([&] { load_image_folder(path, 0, 16); });
  };
  EXPECT_THAT(refused(directory_.path()), HasSubstr("holds no PNG, JPEG or WebP images"));
  EXPECT_THAT(refused(directory_ / "missing"), HasSubstr("missing: No such file"));
  directory_.write("bad.png", "not an image");
  EXPECT_THAT(refused(directory_.path()), HasSubstr("bad.png: not a PNG, JPEG or WebP image"));
}

}  // namespace
}  // namespace slopegan
