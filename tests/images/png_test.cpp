#include "images/png.h"

#include <fstream>
#include <iterator>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expect_error.h"
#include "images/read_image.h"
#include "support/errors.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;

cv::Mat noise(int type) {
  cv::Mat image(7, 5, type);
  cv::randu(image, cv::Scalar::all(0), cv::Scalar::all(256));
  return image;
}

std::size_t entries(const TemporaryDirectory& directory) {
  const std::filesystem::directory_iterator begin(directory.path());
  return static_cast<std::size_t>(std::distance(begin, {}));
}

TEST(WritePng, ReadsBackTheSameGrayAndColourImages) {
  const TemporaryDirectory directory;
  for (const int type : {CV_8UC1, CV_8UC3}) {
    const cv::Mat image = noise(type);
    write_png(directory / "image.png", image);
    const cv::Mat read = read_image(directory / "image.png");
    ASSERT_EQ(read.type(), type);
    EXPECT_EQ(cv::norm(read, image, cv::NORM_INF), 0);
  }
  EXPECT_EQ(entries(directory), 1u);  // nothing temporary is left, and the second replaced the first
}

TEST(WritePng, NamesTheFileItCannotWriteAndLeavesNothing) {
  const TemporaryDirectory directory;
  const auto missing = message_of<IoError>([&] { write_png(directory / "missing/image.png", noise(CV_8UC1)); });
  EXPECT_THAT(missing, HasSubstr((directory / "missing/image.png").string()));
  EXPECT_THAT(missing, HasSubstr("No such file"));
  std::filesystem::create_directory(directory / "taken.png");
  EXPECT_THAT(message_of<IoError>([&] { write_png(directory / "taken.png", noise(CV_8UC1)); }), HasSubstr("taken.png"));
  EXPECT_EQ(entries(directory), 1u);
}

TEST(WritePng, RefusesOtherTypes) {
  const TemporaryDirectory directory;
  EXPECT_THROW(write_png(directory / "a.png", cv::Mat()), std::invalid_argument);
  EXPECT_THROW(write_png(directory / "a.png", cv::Mat(2, 2, CV_32FC1)), std::invalid_argument);
}

}  // namespace
}  // namespace slopegan
