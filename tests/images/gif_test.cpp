#include "images/gif.h"

#include <gif_lib.h>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expect_error.h"
#include "support/errors.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

/// The frames as a viewer composes them, and the rectangles as they are stored.
struct Animation {
  std::vector<cv::Mat> frames;
  std::vector<int> hundredths;
  std::vector<cv::Rect> stored;
  bool repeats = false;
};

Animation read_gif(const std::filesystem::path& file) {
  int error = 0;
  GifFileType* gif = DGifOpenFileName(file.c_str(), &error);
  if (gif == nullptr || DGifSlurp(gif) != GIF_OK) throw std::runtime_error("cannot read the GIF");
  Animation animation;
  cv::Mat canvas(gif->SHeight, gif->SWidth, CV_8UC3, cv::Scalar(1, 2, 3));
  for (int i = 0; i < gif->ImageCount; ++i) {
    const SavedImage& image = gif->SavedImages[i];
    const GifImageDesc& at = image.ImageDesc;
    for (int b = 0; b < image.ExtensionBlockCount; ++b) {
      const auto& block = image.ExtensionBlocks[b];
      const std::string bytes(reinterpret_cast<const char*>(block.Bytes), static_cast<std::size_t>(block.ByteCount));
      animation.repeats = animation.repeats || bytes == "NETSCAPE2.0";
    }
    for (int p = 0; p < at.Width * at.Height; ++p) {
      const GifColorType& colour = at.ColorMap->Colors[image.RasterBits[p]];
      canvas.at<cv::Vec3b>(at.Top + p / at.Width, at.Left + p % at.Width) = {colour.Blue, colour.Green, colour.Red};
    }
    GraphicsControlBlock control{};
    DGifSavedExtensionToGCB(gif, i, &control);
    animation.frames.push_back(canvas.clone());
    animation.hundredths.push_back(control.DelayTime);
    animation.stored.push_back({at.Left, at.Top, at.Width, at.Height});
  }
  DGifCloseFile(gif, &error);
  return animation;
}

double largest_difference(const cv::Mat& a, const cv::Mat& b) { return cv::norm(a, b, cv::NORM_INF); }

cv::Mat random_frame(int height, int width, int type) {
  cv::Mat frame(height, width, type);
  cv::randu(frame, cv::Scalar::all(0), cv::Scalar::all(256));
  return frame;
}

cv::Mat in_colour(const cv::Mat& gray) {
  cv::Mat colour;
  cv::merge(std::vector<cv::Mat>(3, gray), colour);
  return colour;
}

TEST(GifWriter, StoresGrayFramesAndDurationsExactly) {
  const TemporaryDirectory directory;
  std::vector<cv::Mat> frames;
  GifWriter writer(directory / "a.gif");
  for (int i = 0; i < 5; ++i) {
    frames.push_back(random_frame(37, 53, CV_8UC1));
    writer.add(frames.back(), 10 * i);
  }
  writer.finish();
  const auto read = read_gif(directory / "a.gif");
  ASSERT_EQ(read.frames.size(), 5u);
  EXPECT_TRUE(read.repeats);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(largest_difference(read.frames[i], in_colour(frames[i])), 0);
  EXPECT_EQ(read.hundredths, (std::vector<int>{0, 10, 20, 30, 40}));
}

TEST(GifWriter, StoresUpTo256ColoursExactly) {
  const TemporaryDirectory directory;
  cv::Mat frame(16, 16, CV_8UC3);
  for (int i = 0; i < 256; ++i) {
    frame.at<cv::Vec3b>(i / 16, i % 16) = {static_cast<uchar>(i), static_cast<uchar>(255 - i),
                                           static_cast<uchar>(i * 7)};
  }
  GifWriter writer(directory / "a.gif");
  writer.add(frame, 1);
  writer.finish();
  EXPECT_EQ(largest_difference(read_gif(directory / "a.gif").frames.at(0), frame), 0);
}

TEST(GifWriter, ApproximatesFramesWithMoreThan256Colours) {
  const TemporaryDirectory directory;
  cv::Mat frame(64, 64, CV_8UC3);  // 4,096 colours in smooth gradients
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) {
      frame.at<cv::Vec3b>(y, x) = {static_cast<uchar>(4 * x), static_cast<uchar>(4 * y), static_cast<uchar>(2 * x + y)};
    }
  }
  GifWriter writer(directory / "a.gif");
  writer.add(frame, 1);
  writer.finish();
  const auto read = read_gif(directory / "a.gif").frames.at(0);
  EXPECT_LT(cv::norm(read, frame, cv::NORM_L1) / (64 * 64 * 3), 8);
  EXPECT_LT(largest_difference(read, frame), 64);  // channels are not swapped
}

TEST(GifWriter, StoresOnlyTheRectangleThatChanges) {
  const TemporaryDirectory directory;
  const cv::Mat first = random_frame(40, 40, CV_8UC1);
  cv::Mat second = first.clone();
  second.at<uchar>(7, 11) ^= 1;
  second.at<uchar>(9, 20) ^= 1;
  GifWriter writer(directory / "a.gif");
  for (const auto& frame : {first, second, second}) writer.add(frame, 5);
  writer.finish();
  const auto read = read_gif(directory / "a.gif");
  EXPECT_EQ(read.stored.at(0), cv::Rect(0, 0, 40, 40));
  EXPECT_EQ(read.stored.at(1), cv::Rect(11, 7, 10, 3));
  EXPECT_EQ(read.stored.at(2), cv::Rect(0, 0, 1, 1));
  EXPECT_EQ(largest_difference(read.frames.at(2), in_colour(second)), 0);
}

TEST(GifWriter, LeavesNoFileUnlessFinished) {
  const TemporaryDirectory directory;
  {
    GifWriter writer(directory / "a.gif");
    writer.add(random_frame(4, 4, CV_8UC1), 1);
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
  EXPECT_THAT(message_of<IoError>([&] { GifWriter(directory / "missing/a.gif"); }), ::testing::HasSubstr("missing/a"));
}

TEST(GifWriter, RejectsUnsuitableFrames) {
  const TemporaryDirectory directory;
  GifWriter writer(directory / "a.gif");
  EXPECT_THROW(writer.finish(), std::invalid_argument);
  EXPECT_THROW(writer.add(cv::Mat(4, 4, CV_32FC1), 1), std::invalid_argument);
  EXPECT_THROW(writer.add(random_frame(4, 4, CV_8UC1), -1), std::invalid_argument);
  writer.add(random_frame(4, 4, CV_8UC1), 1);
  EXPECT_THROW(writer.add(random_frame(4, 5, CV_8UC1), 1), std::invalid_argument);
}

}  // namespace
}  // namespace slopegan
