#include "images/read_image.h"

#include <fstream>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>

#include "expect_error.h"
#include "support/errors.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;

std::string encoded(const std::string& ending, const cv::Mat& image) {
  std::vector<unsigned char> bytes;
  cv::imencode(ending, image, bytes);
  return {bytes.begin(), bytes.end()};
}

TEST(ClaimedSize, IsThatOfAPngAndOfAJpeg) {
  for (const char* ending : {".png", ".jpg"}) {
    EXPECT_EQ(claimed_size(encoded(ending, cv::Mat(37, 301, CV_8UC1, 9))), cv::Size(301, 37)) << ending;
    EXPECT_EQ(claimed_size(encoded(ending, cv::Mat(37, 301, CV_8UC3, cv::Scalar(1, 2, 3)))), cv::Size(301, 37));
  }
}

TEST(ClaimedSize, IsNothingWhereAPngDoesNotBeginWithItsHeader) {
  std::string bytes = encoded(".png", cv::Mat(8, 8, CV_8UC1, 9));
  EXPECT_FALSE(claimed_size(bytes.replace(12, 4, "tEXt")));
}

TEST(ClaimedSize, IsNothingWhereAnyPrefixEndsTooEarly) {
  for (const char* ending : {".png", ".jpg"}) {
    const std::string whole = encoded(ending, cv::Mat(8, 8, CV_8UC1, 9));
    for (std::size_t size = 0; size < 20; ++size) EXPECT_FALSE(claimed_size(whole.substr(0, size))) << ending << size;
  }
  EXPECT_FALSE(claimed_size("GIF89a, which is another format"));
}

TEST(ReadImage, NamesWhatItCannotRead) {
  const TemporaryDirectory directory;
  EXPECT_THAT(message_of<IoError>([&] { read_image(directory / "missing.png"); }), HasSubstr("missing.png"));
  EXPECT_THAT(message_of<IoError>([&] { read_image(directory.path()); }), HasSubstr("Is a directory"));
  for (const char* text : {"no image at all", ""}) {
    const auto file = directory.write("text.png", text);
    EXPECT_THAT(message_of<DataError>([&] { read_image(file); }), HasSubstr("text.png: this is no PNG or JPEG"));
  }
}

TEST(ReadImage, RefusesAFileThatClaimsAHugeImageBeforeItDecodes) {
  const TemporaryDirectory directory;
  std::string bomb = encoded(".png", cv::Mat(8, 8, CV_8UC1, 9));
  bomb.replace(16, 8, std::string("\0\1\0\0\0\1\0\0", 8));  // 65,536 × 65,536
  EXPECT_THAT(message_of<DataError>([&] { read_image(directory.write("bomb.png", bomb)); }),
              HasSubstr("bomb.png: 65536 x 65536 pixels are more"));
}

TEST(ReadImage, RefusesADamagedImage) {
  const TemporaryDirectory directory;
  cv::Mat image(64, 64, CV_8UC3);
  cv::randu(image, cv::Scalar::all(0), cv::Scalar::all(256));
  const std::string whole = encoded(".png", image);
  EXPECT_THAT(message_of<DataError>([&] { read_image(directory.write("cut.png", whole.substr(0, 900))); }),
              HasSubstr("cut.png: the image is damaged"));
}

TEST(ReadImage, WaitsForNoPipe) {
  const TemporaryDirectory directory;
  ASSERT_EQ(::mkfifo((directory / "pipe.png").c_str(), 0600), 0);
  EXPECT_THAT(message_of<IoError>([&] { read_image(directory / "pipe.png"); }), HasSubstr("pipe or a device"));
}

}  // namespace
}  // namespace slopegan
