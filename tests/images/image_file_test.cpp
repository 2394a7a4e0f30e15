#include "images/image_file.h"

#include <iterator>
#include <stdexcept>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>

#include "expect_error.h"
#include "images/image_writers.h"
#include "support/errors.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;

TEST(SniffFormat, RecognisesFormatsByTheirFirstBytes) {
  const cv::Mat image(8, 8, CV_8UC3, cv::Scalar(1, 2, 3));
  const std::vector<std::pair<std::string, ImageFormat>> formats = {{".png", ImageFormat::png},
                                                                    {".jpg", ImageFormat::jpeg},
                                                                    {".webp", ImageFormat::webp},
                                                                    {".bmp", ImageFormat::bmp},
                                                                    {".tif", ImageFormat::tiff}};
  for (const auto& [ending, format] : formats) {
    const std::string bytes = encoded(ending, image);
    EXPECT_EQ(sniff_format(bytes.substr(0, sniffed_bytes)), format) << ending;
    EXPECT_FALSE(sniff_format(bytes.substr(0, 2))) << ending;
  }
  EXPECT_EQ(sniff_format("GIF89a"), ImageFormat::gif);
  EXPECT_FALSE(sniff_format("BMW, Audi and other cars are not images"));
  EXPECT_FALSE(
      sniff_format(std::string("\0\0\0\x18"
                               "ftypheic\0\0\0\0mif1heic",
                               24)));
}

TEST(SniffFile, ReadsTheContentRegardlessOfTheExtensionExceptForRawFiles) {
  const TemporaryDirectory directory;
  const cv::Mat image(8, 8, CV_8UC1, 9);
  EXPECT_EQ(sniff_file(directory.write("photo.jfif", encoded(".jpg", image))), ImageFormat::jpeg);
  EXPECT_EQ(sniff_file(directory.write("without_ending", encoded(".png", image))), ImageFormat::png);
  for (const std::string name : {"scan.TIF", "scan.jfif", "scan.gif", "scan"}) {
    EXPECT_EQ(sniff_file(directory.write(name, encoded(".tif", image))), ImageFormat::tiff) << name;
  }
  EXPECT_FALSE(sniff_file(directory.write("raw.NEF", encoded(".tif", image))));
  EXPECT_FALSE(sniff_file(directory.write("empty.png", "")));
  EXPECT_FALSE(sniff_file(directory / "missing.png"));
  ASSERT_EQ(::mkfifo((directory / "pipe.png").c_str(), 0600), 0);
  EXPECT_FALSE(sniff_file(directory / "pipe.png"));
}

TEST(DeclaredSize, ReadsTheHeadersOfAllFormats) {
  for (const char* ending : {".png", ".jpg", ".webp", ".bmp", ".tif"}) {
    EXPECT_EQ(declared_size(encoded(ending, cv::Mat(37, 301, CV_8UC1, 9))), cv::Size(301, 37)) << ending;
    EXPECT_EQ(declared_size(encoded(ending, cv::Mat(37, 301, CV_8UC3, cv::Scalar(1, 2, 3)))), cv::Size(301, 37));
  }
}

TEST(DeclaredSize, ReadsHeadersInBothByteOrdersAndOldVersions) {
  EXPECT_EQ(declared_size(std::string("GIF89a\x2d\x01\x25\0", 10)), cv::Size(301, 37));
  const std::string old_bmp = "BM" + std::string(12, '\0') + std::string("\x0c\0\0\0\x2d\x01\x25\0\x01\0\x18\0", 12);
  EXPECT_EQ(declared_size(old_bmp), cv::Size(301, 37));
  std::string upside_down = encoded(".bmp", cv::Mat(37, 301, CV_8UC3, cv::Scalar(1, 2, 3)));
  upside_down.replace(22, 4, "\xdb\xff\xff\xff");  // −37
  EXPECT_EQ(declared_size(upside_down), cv::Size(301, 37));
  const std::string big_endian_tiff(
      "MM\0*\0\0\0\x08\0\x02"
      "\x01\0\0\x03\0\0\0\x01\x01\x2d\0\0"  // width, SHORT
      "\x01\x01\0\x04\0\0\0\x01\0\0\0\x25"  // height, LONG
      "\0\0\0\0",
      38);
  EXPECT_EQ(declared_size(big_endian_tiff), cv::Size(301, 37));
  EXPECT_FALSE(declared_size(big_endian_tiff.substr(0, 20)));
}

TEST(DeclaredSize, IsEmptyForAPngThatDoesNotStartWithIhdr) {
  std::string bytes = encoded(".png", cv::Mat(8, 8, CV_8UC1, 9));
  EXPECT_FALSE(declared_size(bytes.replace(12, 4, "tEXt")));
}

TEST(DeclaredSize, IsEmptyForTruncatedHeaders) {
  for (const char* ending : {".png", ".jpg", ".webp"}) {
    const std::string whole = encoded(ending, cv::Mat(8, 8, CV_8UC1, 9));
    for (std::size_t size = 0; size < 20; ++size) EXPECT_FALSE(declared_size(whole.substr(0, size))) << ending << size;
  }
  EXPECT_FALSE(declared_size("a text"));
}

TEST(ReadImage, ErrorsNameTheFile) {
  const TemporaryDirectory directory;
  EXPECT_THAT(message_of<IoError>([&] { read_image(directory / "missing.png"); }), HasSubstr("missing.png"));
  EXPECT_THAT(message_of<IoError>([&] { read_image(directory.path()); }), HasSubstr("Is a directory"));
  const auto text = directory.write("text.png", "not an image");
  EXPECT_THAT(message_of<DataError>([&] { read_image(text); }), HasSubstr("text.png: not a PNG, JPEG, WebP, BMP"));
  const auto empty = directory.write("empty.png", "");
  EXPECT_THAT(message_of<DataError>([&] { read_image(empty); }), HasSubstr("empty.png: the file is empty"));
}

TEST(ReadImage, RejectsAnImageWithAHugeDeclaredSizeBeforeDecodingIt) {
  const TemporaryDirectory directory;
  std::string bomb = encoded(".png", cv::Mat(8, 8, CV_8UC1, 9));
  bomb.replace(16, 8, std::string("\0\1\0\0\0\1\0\0", 8));  // 65,536 × 65,536
  EXPECT_THAT(message_of<DataError>([&] { read_image(directory.write("bomb.png", bomb)); }),
              HasSubstr("bomb.png: 65536 x 65536 pixels exceed"));
}

TEST(DeclaredSize, ReadsLosslessAndExtendedWebPHeaders) {
  std::vector<unsigned char> bytes;
  cv::imencode(".webp", cv::Mat(37, 301, CV_8UC3, cv::Scalar(1, 2, 3)), bytes, {cv::IMWRITE_WEBP_QUALITY, 101});
  const std::string lossless(bytes.begin(), bytes.end());
  EXPECT_EQ(lossless.substr(12, 4), "VP8L");
  EXPECT_EQ(declared_size(lossless), cv::Size(301, 37));
  const std::string extended =
      "RIFF" + std::string("\x20\0\0\0", 4) + "WEBPVP8X" + std::string("\x0a\0\0\0\0\0\0\0\xff\x3f\0\x01\x01\0", 14);
  EXPECT_EQ(declared_size(extended), cv::Size(16384, 258));
}

TEST(ReadImage, RejectsTruncatedImages) {
  const TemporaryDirectory directory;
  cv::Mat image(64, 64, CV_8UC3);
  cv::randu(image, cv::Scalar::all(0), cv::Scalar::all(256));
  for (const std::string ending : {".png", ".jpg", ".webp"}) {
    const std::string whole = encoded(ending, image);
    for (const std::size_t size : {whole.size() / 2, whole.size() - 30}) {
      EXPECT_THAT(message_of<DataError>([&] { read_image(directory.write("cut" + ending, whole.substr(0, size))); }),
                  HasSubstr("the image is damaged"));
    }
  }
}

TEST(ReadImage, AppliesTheExifOrientationOfAJpeg) {
  const TemporaryDirectory directory;
  cv::Mat image(32, 48, CV_8UC3, cv::Scalar::all(0));
  image(cv::Rect(0, 0, 48, 16)).setTo(cv::Scalar::all(255));  // the upper half is white
  const std::string jpeg = encoded(".jpg", image);
  const auto plain = read_image(directory.write("plain.jpg", jpeg));
  EXPECT_EQ(plain.size(), cv::Size(48, 32));
  EXPECT_GT(plain.at<cv::Vec3b>(2, 24)[0], 250);
  const auto rotated =
      read_image(directory.write("rotated.jpg", with_orientation(jpeg, 6)));  // rotated by 90° clockwise
  EXPECT_EQ(rotated.size(), cv::Size(32, 48));
  EXPECT_GT(rotated.at<cv::Vec3b>(24, 29)[0], 250);
  EXPECT_LT(rotated.at<cv::Vec3b>(24, 2)[0], 5);
  const auto upside_down = read_image(directory.write("down.jpg", with_orientation(jpeg, 3)));
  EXPECT_LT(upside_down.at<cv::Vec3b>(2, 24)[0], 5);
}

TEST(ReadImage, ReadsLosslessWebPExactly) {
  const TemporaryDirectory directory;
  cv::Mat image(20, 30, CV_8UC3);
  cv::randu(image, cv::Scalar::all(0), cv::Scalar::all(256));
  std::vector<unsigned char> bytes;
  cv::imencode(".webp", image, bytes, {cv::IMWRITE_WEBP_QUALITY, 101});  // lossless
  const auto read = read_image(directory.write("a.webp", {bytes.begin(), bytes.end()}));
  EXPECT_EQ(cv::norm(read, image, cv::NORM_INF), 0);
}

TEST(ReadImage, RejectsPipesWithoutBlocking) {
  const TemporaryDirectory directory;
  ASSERT_EQ(::mkfifo((directory / "pipe.png").c_str(), 0600), 0);
  EXPECT_THAT(message_of<IoError>([&] { read_image(directory / "pipe.png"); }), HasSubstr("pipe or a device"));
}

cv::Mat noise(int type) {
  cv::Mat image(7, 5, type);
  cv::randu(image, cv::Scalar::all(0), cv::Scalar::all(256));
  return image;
}

std::size_t entry_count(const TemporaryDirectory& directory) {
  const std::filesystem::directory_iterator begin(directory.path());
  return static_cast<std::size_t>(std::distance(begin, {}));
}

TEST(WritePng, RoundTripsGrayAndColourImages) {
  const TemporaryDirectory directory;
  for (const int type : {CV_8UC1, CV_8UC3}) {
    const cv::Mat image = noise(type);
    write_png(directory / "image.png", image);
    const cv::Mat read = read_image(directory / "image.png");
    ASSERT_EQ(read.type(), type);
    EXPECT_EQ(cv::norm(read, image, cv::NORM_INF), 0);
  }
  EXPECT_EQ(entry_count(directory), 1u);  // no temporary file is left; the second image replaced the first
}

TEST(WritePng, ErrorsNameTheFileAndLeaveNoTemporaryFiles) {
  const TemporaryDirectory directory;
  const auto missing = message_of<IoError>([&] { write_png(directory / "missing/image.png", noise(CV_8UC1)); });
  EXPECT_THAT(missing, HasSubstr((directory / "missing/image.png").string()));
  EXPECT_THAT(missing, HasSubstr("No such file"));
  std::filesystem::create_directory(directory / "taken.png");
  EXPECT_THAT(message_of<IoError>([&] { write_png(directory / "taken.png", noise(CV_8UC1)); }), HasSubstr("taken.png"));
  EXPECT_EQ(entry_count(directory), 1u);
}

TEST(WritePng, RejectsOtherImageTypes) {
  const TemporaryDirectory directory;
  EXPECT_THROW(write_png(directory / "a.png", cv::Mat()), std::invalid_argument);
  EXPECT_THROW(write_png(directory / "a.png", cv::Mat(2, 2, CV_32FC1)), std::invalid_argument);
}

}  // namespace
}  // namespace slopegan
