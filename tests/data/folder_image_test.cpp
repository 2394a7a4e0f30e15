#include "data/folder_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/dataset.h"
#include "data/image_folder.h"
#include "expect_error.h"
#include "images/image_file.h"
#include "images/image_writers.h"
#include "support/errors.h"
#include "support/text.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

/// Loads a folder of images as a data set, with a cache of its own.
class ImagesInAFolder : public ::testing::Test {
 protected:
  ImagesInAFolder() {
    config_.kind = DatasetKind::image_folder;
    config_.path = folder_.path();
    config_.resolution = 32;
  }

  void write(const std::string& name, const std::string& bytes) {
    fs::create_directories((folder_ / name).parent_path());
    folder_.write(name, bytes);
  }
  void write(const std::string& name, const cv::Mat& image) { write(name, encoded(".png", image)); }
  /// Writes a square image with one gray value.
  void gray(const std::string& name, int value, int side = 32) {
    write(name, cv::Mat(side, side, CV_8UC1, cv::Scalar(value)));
  }
  /// Writes a square image with one 16-bit gray value.
  void deep_gray(const std::string& name, int value) {
    write(name, png_file({32, 32}, 16, 0, png_rows({32, 32}, deep_pixel({value}))));
  }

  Dataset load(Split split = Split::train) { return *load_dataset(config_, split); }
  /// Loads the images twice, the second time from the cache, and returns the notes, except those about labels.
  std::vector<std::string> notes() {
    const auto first = load().notes;
    EXPECT_EQ(load().notes, first);
    std::vector<std::string> on_images;
    for (const auto& note : first) {
      if (!note.starts_with("labels")) on_images.push_back(note);
    }
    return on_images;
  }
  static int value(const Dataset& dataset, std::int64_t image, std::int64_t y = 16, std::int64_t x = 16,
                   std::int64_t channel = 0) {
    return dataset.images[image][channel][y][x].item<int>();
  }

  const TemporaryDirectory folder_;
  const CacheDirectory cache_;
  DataConfig config_;
};

// --- Sizes -----------------------------------------------------------------------------------------------------------

TEST_F(ImagesInAFolder, AreCroppedAndResizedWithoutABlackFrame) {
  gray("a.png", 200, 32);
  gray("b.png", 200, 28);
  write("c.png", cv::Mat(40, 60, CV_8UC1, cv::Scalar(200)));
  const auto dataset = load();
  for (std::int64_t i = 0; i < 3; ++i) EXPECT_EQ(value(dataset, i, 0, 0), 200) << i;
  EXPECT_THAT(notes(), ElementsAre("3 images: 1 cropped to the central square (at most 33 % of the area is cut), "
                                   "1 enlarged to 32 pixels (smallest: 28)"));
}

TEST_F(ImagesInAFolder, CanBePaddedOrStretched) {
  gray("a.png", 200, 28);
  cv::Mat halves(40, 80, CV_8UC1, cv::Scalar(0));
  halves(cv::Rect(0, 0, 20, 40)).setTo(200);  // outside the central square
  write("b.png", halves);
  config_.fit = ImageFit::pad;
  EXPECT_EQ(value(load(), 0, 1, 1), 0);
  EXPECT_EQ(value(load(), 0, 2, 2), 200);
  EXPECT_THAT(notes().front(), HasSubstr("1 padded with black"));
  config_.fit = ImageFit::stretch;  // uses a different pack
  EXPECT_EQ(value(load(), 0, 0, 0), 200);
  EXPECT_EQ(value(load(), 1, 16, 2), 200);
  EXPECT_EQ(value(load(), 1, 16, 30), 0);
  EXPECT_THAT(notes().front(),
              AllOf(HasSubstr("1 stretched to a square"), HasSubstr("1 enlarged"), Not(HasSubstr("cropped"))));
}

TEST_F(ImagesInAFolder, CauseNoNotesIfTheyAreUnchanged) {
  gray("a.png", 1);
  gray("b.png", 200);
  EXPECT_THAT(notes(), IsEmpty());
  EXPECT_THAT(load().warnings, IsEmpty());
}

TEST_F(ImagesInAFolder, MayBePhotographsOfAnySize) {
  gray("a.png", 7);
  write("photo.jpg", encoded(".jpg", cv::Mat(4000, 4000, CV_8UC3, cv::Scalar(200, 100, 50))));
  const auto dataset = load();
  EXPECT_NEAR(value(dataset, 1), 50, 2);
  EXPECT_THAT(dataset.unreadable, IsEmpty());
  EXPECT_THAT(notes(),
              Contains("1 image has more than 12 megapixels and is decoded at 1/2, 1/4 or 1/8 size: photo.jpg"));
}

TEST_F(ImagesInAFolder, ThatAreTooLargeAreNotReportedAsDamaged) {
  gray("a.png", 7);
  gray("b.png", 70);
  std::string huge = encoded(".png", cv::Mat(8, 8, CV_8UC1, cv::Scalar(9)));
  huge.replace(16, 8, std::string("\0\1\0\0\0\1\0\0", 8));
  write("huge.png", huge);
  config_.max_unreadable = 0;
  for (int run = 0; run < 2; ++run) {
    const auto dataset = load();
    EXPECT_EQ(dataset.size(), 2);
    EXPECT_THAT(dataset.unreadable, IsEmpty());
    EXPECT_THAT(dataset.warnings, Contains(AllOf(StartsWith("1 of 3 files is too large and is left out: "),
                                                 HasSubstr("huge.png: 65536 x 65536 pixels"))));
  }
  fs::remove(folder_ / "a.png");
  fs::remove(folder_ / "b.png");
  EXPECT_THAT(message_of<DataError>([&] { load(); }),
              AllOf(HasSubstr("the only file cannot be used"), HasSubstr("huge.png")));
}

// --- Transparency ----------------------------------------------------------------------------------------------------

TEST_F(ImagesInAFolder, GetTheConfiguredBackgroundIfTheyAreTransparent) {
  const cv::Size size(32, 32);
  write("a.png", png_file(size, 8, 6, png_rows(size, std::string("\xc8\x64\x32\0", 4))));
  gray("b.png", 7);
  EXPECT_EQ(value(load(), 0), 255);
  EXPECT_THAT(notes(), ElementsAre("1 image is transparent: a.png; transparent pixels become white (data.background)"));
  config_.background = "#102030";
  EXPECT_EQ(value(load(), 0, 16, 16, 0), 0x10);
  EXPECT_EQ(value(load(), 0, 16, 16, 2), 0x30);
  config_.background = "none";
  EXPECT_EQ(value(load(), 0), 0xc8);
  EXPECT_THAT(notes().front(), HasSubstr("transparent pixels keep their stored colours (data.background: none)"));
}

// --- 16 bits ---------------------------------------------------------------------------------------------------------

TEST_F(ImagesInAFolder, With16BitsAreScaledByTheirCommonRange) {
  deep_gray("a.png", 4095);
  deep_gray("b.png", 512);  // not scaled by its own range
  gray("c.png", 77);
  const auto dataset = load();
  EXPECT_EQ(value(dataset, 0), 255);
  EXPECT_EQ(value(dataset, 1), 32);
  EXPECT_EQ(value(dataset, 2), 77);
  EXPECT_THAT(notes(),
              ElementsAre("2 images have 16 bits per channel and values up to 4095; 0 to 4095 is scaled to 0 to 255"));
  deep_gray("d.png", 65535);
  EXPECT_EQ(value(load(), 0), 15);
}

TEST_F(ImagesInAFolder, OfTheTestSplitAreScaledLikeTheTrainingImages) {
  deep_gray("train/a.png", 4095);
  deep_gray("train/b.png", 100);
  deep_gray("test/c.png", 800);
  EXPECT_EQ(value(load(Split::test), 0), 50);
  deep_gray("train/a.png", 65535);
  fs::last_write_time(folder_ / "train/a.png", fs::last_write_time(folder_ / "train/a.png") - std::chrono::hours(1));
  EXPECT_EQ(value(load(Split::test), 0), 3);
}

TEST_F(ImagesInAFolder, AreScaledByAFixedRangeAndClippedIfTheyAreComparedWithOthers) {
  deep_gray("a.png", 1000);
  gray("b.png", 77);
  EXPECT_EQ(load().deep_bits, 10);
  config_.fixed_bits = 12;
  EXPECT_EQ(load().deep_bits, 12);
  EXPECT_EQ(value(load(), 0), 62);
  EXPECT_EQ(value(load(), 1), 77);
  deep_gray("a.png", 5000);
  fs::last_write_time(folder_ / "a.png", fs::last_write_time(folder_ / "a.png") - std::chrono::hours(1));
  EXPECT_EQ(value(load(), 0), 255);
  EXPECT_THAT(notes(), ElementsAre("1 image has 16 bits per channel and values up to 5000; 0 to 4095 is scaled to 0 to "
                                   "255, and larger values are clipped"));
  config_.fixed_bits = 0;
  EXPECT_EQ(value(load(), 0), 78);
  fs::remove(folder_ / "a.png");
  EXPECT_EQ(load().deep_bits, 0);
}

TEST_F(ImagesInAFolder, WithANarrowRangeOfValuesCauseAWarning) {
  for (int i = 0; i < 16; ++i) gray(format_text("{}.png", i), i);
  EXPECT_THAT(load().warnings, ElementsAre(HasSubstr("nearly all pixels lie between 0 and 15 in the range 0 to 255")));
}

// --- Files -----------------------------------------------------------------------------------------------------------

TEST_F(ImagesInAFolder, AreUsedAndCountedIfTheirFilesAreSlightlyDamaged) {
  const cv::Mat image(32, 32, CV_8UC1, cv::Scalar(77));
  const std::string png = encoded(".png", image), jpeg = encoded(".jpg", image);
  write("a.png", png.substr(0, png.size() - 12));
  write("b.png", with_png_chunk(png, "iCCP", std::string("sRGB\0\0x\x9c", 8) + std::string(20, 'x')));
  write("c.jpg", with_extraneous_bytes(jpeg));
  write("d.jpg", jpeg);
  const auto dataset = load();
  EXPECT_EQ(dataset.size(), 4);
  EXPECT_THAT(
      notes(),
      ElementsAre(
          "1 file ends early but contains every pixel: a.png",
          AllOf(StartsWith("2 images are used although the decoder reports a problem, for example b.png: iCCP"))));
}

TEST_F(ImagesInAFolder, AreReadAsInVersion09IfTheRunIsFromThatVersion) {
  gray("a.png", 200, 28);
  const cv::Size size(32, 32);
  write("b.png", png_file(size, 8, 6, png_rows(size, std::string("\xc8\x64\x32\0", 4))));
  deep_gray("c.png", 4095);
  write("d.jpg", encoded(".jpg", cv::Mat(50, 90, CV_8UC3, cv::Scalar(1, 2, 200))));
  config_.as_in_0_9 = true;
  const auto dataset = load();
  EXPECT_EQ(value(dataset, 0, 0, 0), 0);
  EXPECT_EQ(value(dataset, 1), 0xc8);
  EXPECT_EQ(value(dataset, 2), 15);
  EXPECT_THAT(dataset.notes, ElementsAre(HasSubstr("version 0.9")));
  config_.as_in_0_9 = false;
  EXPECT_NE(load().hash, dataset.hash);
  EXPECT_EQ(value(load(), 0, 0, 0), 200);
}

}  // namespace
}  // namespace slopegan
