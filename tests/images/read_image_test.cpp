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

TEST(ClaimedSize, IsThatOfAPngAJpegAndAWebP) {
  for (const char* ending : {".png", ".jpg", ".webp"}) {
    EXPECT_EQ(claimed_size(encoded(ending, cv::Mat(37, 301, CV_8UC1, 9))), cv::Size(301, 37)) << ending;
    EXPECT_EQ(claimed_size(encoded(ending, cv::Mat(37, 301, CV_8UC3, cv::Scalar(1, 2, 3)))), cv::Size(301, 37));
  }
}

TEST(ClaimedSize, IsNothingWhereAPngDoesNotBeginWithItsHeader) {
  std::string bytes = encoded(".png", cv::Mat(8, 8, CV_8UC1, 9));
  EXPECT_FALSE(claimed_size(bytes.replace(12, 4, "tEXt")));
}

TEST(ClaimedSize, IsNothingWhereAnyPrefixEndsTooEarly) {
  for (const char* ending : {".png", ".jpg", ".webp"}) {
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
    EXPECT_THAT(message_of<DataError>([&] { read_image(file); }), HasSubstr("text.png: this is no PNG, JPEG or WebP"));
  }
}

TEST(ReadImage, RefusesAFileThatClaimsAHugeImageBeforeItDecodes) {
  const TemporaryDirectory directory;
  std::string bomb = encoded(".png", cv::Mat(8, 8, CV_8UC1, 9));
  bomb.replace(16, 8, std::string("\0\1\0\0\0\1\0\0", 8));  // 65,536 × 65,536
  EXPECT_THAT(message_of<DataError>([&] { read_image(directory.write("bomb.png", bomb)); }),
              HasSubstr("bomb.png: 65536 x 65536 pixels are more"));
}

TEST(ClaimedSize, OfALosslessAndAnExtendedWebPIsThatOfItsCanvas) {
  std::vector<unsigned char> bytes;
  cv::imencode(".webp", cv::Mat(37, 301, CV_8UC3, cv::Scalar(1, 2, 3)), bytes, {cv::IMWRITE_WEBP_QUALITY, 101});
  const std::string lossless(bytes.begin(), bytes.end());
  EXPECT_EQ(lossless.substr(12, 4), "VP8L");
  EXPECT_EQ(claimed_size(lossless), cv::Size(301, 37));
  const std::string extended =
      "RIFF" + std::string("\x20\0\0\0", 4) + "WEBPVP8X" + std::string("\x0a\0\0\0\0\0\0\0\xff\x3f\0\x01\x01\0", 14);
  EXPECT_EQ(claimed_size(extended), cv::Size(16384, 258));
}

TEST(ReadImage, RefusesADamagedImage) {
  const TemporaryDirectory directory;
  cv::Mat image(64, 64, CV_8UC3);
  cv::randu(image, cv::Scalar::all(0), cv::Scalar::all(256));
  for (const std::string ending : {".png", ".jpg", ".webp"}) {
    const std::string whole = encoded(ending, image);
    for (const std::size_t size : {whole.size() / 2, whole.size() - 20}) {
      EXPECT_THAT(message_of<DataError>([&] { read_image(directory.write("cut" + ending, whole.substr(0, size))); }),
                  HasSubstr("the image is damaged"));
    }
  }
}

/// `jpeg` with an EXIF segment that says how the camera was held (CIPA DC-008, 4.6.4: tag 0x112).
std::string with_orientation(std::string jpeg, char orientation) {
  std::string exif("Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0", 24);
  exif += orientation + std::string("\0\0\0\0\0\0\0", 7);
  return jpeg.insert(2, std::string("\xff\xe1\0", 3) + static_cast<char>(exif.size() + 2) + exif);
}

TEST(ReadImage, TurnsAJpegUprightAsItsExifOrientationSays) {
  const TemporaryDirectory directory;
  cv::Mat image(32, 48, CV_8UC3, cv::Scalar::all(0));
  image(cv::Rect(0, 0, 48, 16)).setTo(cv::Scalar::all(255));  // the upper half is white
  const std::string jpeg = encoded(".jpg", image);
  const auto plain = read_image(directory.write("plain.jpg", jpeg));
  EXPECT_EQ(plain.size(), cv::Size(48, 32));
  EXPECT_GT(plain.at<cv::Vec3b>(2, 24)[0], 250);
  const auto turned = read_image(directory.write("turned.jpg", with_orientation(jpeg, 6)));  // a quarter clockwise
  EXPECT_EQ(turned.size(), cv::Size(32, 48));
  EXPECT_GT(turned.at<cv::Vec3b>(24, 29)[0], 250);
  EXPECT_LT(turned.at<cv::Vec3b>(24, 2)[0], 5);
  const auto upside_down = read_image(directory.write("down.jpg", with_orientation(jpeg, 3)));
  EXPECT_LT(upside_down.at<cv::Vec3b>(2, 24)[0], 5);
}

TEST(ReadImage, ReadsWebPAsItReadsPng) {
  const TemporaryDirectory directory;
  cv::Mat image(20, 30, CV_8UC3);
  cv::randu(image, cv::Scalar::all(0), cv::Scalar::all(256));
  std::vector<unsigned char> bytes;
  cv::imencode(".webp", image, bytes, {cv::IMWRITE_WEBP_QUALITY, 101});  // lossless
  const auto read = read_image(directory.write("a.webp", {bytes.begin(), bytes.end()}));
  EXPECT_EQ(cv::norm(read, image, cv::NORM_INF), 0);
}

TEST(ReadImage, WaitsForNoPipe) {
  const TemporaryDirectory directory;
  ASSERT_EQ(::mkfifo((directory / "pipe.png").c_str(), 0600), 0);
  EXPECT_THAT(message_of<IoError>([&] { read_image(directory / "pipe.png"); }), HasSubstr("pipe or a device"));
}

}  // namespace
}  // namespace slopegan
