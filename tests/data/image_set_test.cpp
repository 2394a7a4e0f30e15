#include "data/image_set.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>

#include "data/file_writers.h"
#include "expect_error.h"
#include "images/image_file.h"
#include "support/errors.h"
#include "support/text.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;

class ImageSetTest : public ::testing::Test {
 protected:
  void gray(const std::string& name, int value, int height = 16, int width = 16) {
    std::filesystem::create_directories((directory_ / name).parent_path());
    write_png(directory_ / name, cv::Mat(height, width, CV_8UC1, cv::Scalar(value)));
  }
  void blue(const std::string& name) {
    write_png(directory_ / name, cv::Mat(16, 16, CV_8UC3, cv::Scalar(255, 10, 0)));  // BGR
  }
  std::shared_ptr<const Dataset> load(std::int64_t channels, std::int64_t resolution, const std::string& name = ".") {
    return ImageSet(directory_ / name, like_).load(channels, resolution);
  }
  /// Writes three gray images to an npz file in the format of `slopegan generate`.
  void array(const std::string& name, const std::string& sides) {
    write_zip(directory_ / name, {{"arr_0.npy", npy("|u1", "(3, " + sides + ", 1)", ramp(3 * 20 * 20))}});
  }

  const CacheDirectory cache_;
  const TemporaryDirectory directory_;
  DataConfig like_{.kind = DatasetKind::image_folder};
};

TEST_F(ImageSetTest, ContainsAllImagesOfAFolderButNoLabels) {
  gray("b/b.png", 20);
  gray("a/z.PNG", 10);
  const auto dataset = load(0, 16);
  EXPECT_EQ(dataset->images.sizes(), (std::vector<std::int64_t>{2, 1, 16, 16}));
  EXPECT_EQ(dataset->images[0][0][0][0].item<int>(), 10);
  EXPECT_FALSE(dataset->has_labels());
}

TEST_F(ImageSetTest, IsColouredIfAnyImageIs) {
  gray("a.png", 7);
  blue("b.png");
  const auto dataset = load(0, 16);
  EXPECT_EQ(dataset->channels(), 3);
  const auto pixel = [&](std::int64_t i) { return dataset->images[i].select(1, 0).select(1, 0).to(at::kLong); };
  EXPECT_TRUE(at::equal(pixel(0), at::tensor({7, 7, 7}, at::kLong)));
  EXPECT_TRUE(at::equal(pixel(1), at::tensor({0, 10, 255}, at::kLong)));  // RGB
}

TEST_F(ImageSetTest, ConvertsGrayToRgbButNotColourToGray) {
  gray("a.png", 7);
  EXPECT_EQ(load(3, 16)->channels(), 3);
  write_png(directory_ / "b.png", cv::Mat(16, 16, CV_8UC3, cv::Scalar(9, 9, 9)));  // gray in three channels
  EXPECT_EQ(load(1, 16)->images[1][0][0][0].item<int>(), 9);
  blue("c.png");
  EXPECT_THAT(message_of<DataError>([&] { load(1, 16); }), HasSubstr("contains coloured images"));
}

TEST_F(ImageSetTest, DerivesItsResolutionFromTheMedianHeightAndWidthOfTheImages) {
  for (int i = 0; i < 9; ++i) gray(format_text("{}.png", i), 9, 100, i < 5 ? 70 : 40);
  EXPECT_EQ(ImageSet(directory_.path(), like_).natural_resolution(), 64);
  for (int i = 0; i < 9; ++i) gray(format_text("{}.png", i), 9, 300, 300);
  EXPECT_EQ(ImageSet(directory_.path(), like_).natural_resolution(), 256);
  for (int i = 0; i < 9; ++i) gray(format_text("{}.png", i), 9, 10, 10);
  EXPECT_EQ(ImageSet(directory_.path(), like_).natural_resolution(), 16);
}

TEST_F(ImageSetTest, DerivesItsResolutionFromTheImagesThatItLoads) {
  for (const char* name : {"a/1.png", "a/2.png", "b/1.png"}) gray(name, 9, 20, 20);
  for (const char* name : {"1.png", "2.png", "3.png"}) gray(name, 9, 100, 100);  // outside the class directories
  EXPECT_EQ(load(0, 16)->size(), 6);
  EXPECT_EQ(ImageSet(directory_.path(), like_).natural_resolution(), 64);
  gray("a/3.bmp", 9, 20, 20);  // version 0.9 does not read it
  EXPECT_EQ(load(0, 16)->size(), 7);
  EXPECT_EQ(ImageSet(directory_.path(), like_).natural_resolution(), 16);
  like_.as_in_0_9 = true;
  EXPECT_EQ(load(0, 16)->size(), 6);
  EXPECT_EQ(ImageSet(directory_.path(), like_).natural_resolution(), 64);
}

TEST_F(ImageSetTest, MayBeAnNpzFile) {
  array("s.npz", "20, 20");
  EXPECT_TRUE(ImageSet::is_at(directory_ / "s.npz"));
  EXPECT_EQ(ImageSet(directory_ / "s.npz", like_).natural_resolution(), 16);
  EXPECT_EQ(load(3, 16, "s.npz")->images.sizes(), (std::vector<std::int64_t>{3, 3, 20, 20}));
  directory_.write("s.txt", "text");
  EXPECT_FALSE(ImageSet::is_at(directory_ / "s.txt"));
  EXPECT_FALSE(ImageSet::is_at(directory_ / "missing"));
}

TEST_F(ImageSetTest, HasTheRangeOfTheImagesThatItIsComparedWith) {
  write_zip(directory_ / "a.npz", {{"arr_0.npy", npy("<u2", "(1, 1, 2)", std::string("\0\0\xff\3", 4))}});
  cv::imwrite(directory_ / "b.png", cv::Mat(16, 16, CV_16UC1, cv::Scalar(1023)));
  for (const auto& [bits, white] : {std::pair(0, 255), {12, 63}}) {
    like_.fixed_bits = bits;
    EXPECT_EQ(load(1, 16, "a.npz")->images.max().item<int>(), white + (bits > 0 ? 1 : 0));  // npz: rounded
    EXPECT_EQ(load(1, 16)->images.max().item<int>(), white);                                // PNG: shifted right
    EXPECT_EQ(load(1, 16)->deep_bits, bits > 0 ? bits : 10);
  }
}

TEST_F(ImageSetTest, ErrorsNameTheFolderOrTheDamagedFile) {
  EXPECT_THAT(message_of<DataError>([&] { load(0, 16); }), HasSubstr(directory_.path().string()));
  directory_.write("bad.png", "not an image");
  EXPECT_THAT(message_of<DataError>([&] { load(0, 16); }), HasSubstr("bad.png"));
}

}  // namespace
}  // namespace slopegan
