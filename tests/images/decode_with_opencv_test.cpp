#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expect_error.h"
#include "images/image_decoding.h"
#include "images/image_writers.h"
#include "support/bytes.h"
#include "support/errors.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class DecodeWithOpenCv : public ImageDecoding {
 protected:
  /// Transparent pixels keep their stored colours.
  DecodedImage decode(const std::string& bytes) { return ImageDecoding::decode(bytes, {.background = std::nullopt}); }
};

/// Colours that change from pixel to pixel, so that compression does not shrink the image much.
cv::Mat varied_pixels() {
  cv::Mat image(60, 80, CV_8UC3);
  for (int i = 0; i < 60 * 80 * 3; ++i) image.data[i] = static_cast<std::uint8_t>(i * i % 251);
  return image;
}

enum TiffCompression { uncompressed = 1, lzw = 5, jpeg = 7, deflate = 8, pack_bits = 32773 };

std::string compressed_tiff(TiffCompression compression) {
  if (compression == jpeg) {  // OpenCV does not write this compression
    return tiff_file(
        {{256, {80}}, {257, {60}}, {258, {8, 8, 8}}, {259, {jpeg}}, {262, {6}}, {277, {3}}, {278, {60}}, {530, {2, 2}}},
        {encoded(".jpg", varied_pixels())});
  }
  return encoded(".tif", varied_pixels(), {cv::IMWRITE_TIFF_COMPRESSION, compression});
}

// --- TIFF ------------------------------------------------------------------------------------------------------------

TEST_F(DecodeWithOpenCv, AcceptsIntactTiffsWithEveryCompression) {
  for (const auto compression : {uncompressed, lzw, jpeg, deflate, pack_bits}) {
    const auto decoded = decode(compressed_tiff(compression));
    if (compression != jpeg) {
      EXPECT_EQ(cv::norm(decoded.image, varied_pixels(), cv::NORM_INF), 0) << compression;
    }
    EXPECT_THAT(decoded.facts.complaint, IsEmpty()) << compression;
  }
}

TEST_F(DecodeWithOpenCv, RejectsTiffsWhosePixelsCannotBeDecoded) {
  for (const auto compression : {lzw, jpeg, deflate}) {
    const std::string whole = compressed_tiff(compression);
    const auto directory = little_endian(std::string_view(whole).substr(4, 4));  // follows the pixels
    ASSERT_GT(directory, 1000) << compression;
    std::string damaged = whole;
    damaged.replace(directory / 2, 300, 300, '\xff');
    EXPECT_THAT(refusal(damaged), HasSubstr("the image is damaged: ")) << compression;
  }
}

TEST_F(DecodeWithOpenCv, RejectsTiffsThatEndBeforeTheirLastPixel) {
  const TiffTags tags = {{256, {3}}, {257, {2}}, {258, {8}}, {259, {1}}, {262, {1}}, {277, {1}}, {278, {2}}};
  std::string bytes = tiff_file(tags, {"abcdef"});
  EXPECT_EQ(decode(bytes).image.at<std::uint8_t>(1, 2), 'f');
  const auto entry = bytes.find(std::string("\x11\1\4\0\1\0\0\0", 8));  // the offset of the strip
  ASSERT_NE(entry, bytes.npos);
  bytes[entry + 8] = static_cast<char>(bytes.size() - 3);
  EXPECT_THAT(refusal(bytes), HasSubstr("the image is damaged: the file is truncated"));
}

TEST_F(DecodeWithOpenCv, ReportsWarningsAboutThePixelsOfATiffButNotAboutItsTags) {
  const TiffTags tags = {{256, {2}}, {257, {2}}, {258, {8}}, {259, {pack_bits}},
                         {262, {1}}, {277, {1}}, {278, {2}}, {65000, {7}}};  // the last is a private tag
  const auto intact = decode(tiff_file(tags, {"\xfd\x40"}));                 // 4 pixels
  EXPECT_EQ(intact.image.at<std::uint8_t>(1, 1), 0x40);
  EXPECT_THAT(intact.facts.complaint, IsEmpty());
  const auto too_long = decode(tiff_file(tags, {"\xfb\x40"}));  // 6 pixels
  EXPECT_EQ(cv::norm(too_long.image, intact.image, cv::NORM_INF), 0);
  EXPECT_THAT(too_long.facts.complaint, HasSubstr("Discarding 2 bytes"));
}

TEST_F(DecodeWithOpenCv, LimitsTheMemoryForTheTilesOfATiff) {
  const TiffTags tags = {{256, {4}}, {257, {4}}, {258, {8}},     {259, {8}},
                         {262, {1}}, {277, {1}}, {322, {32768}}, {323, {32768}}};
  EXPECT_THAT(message_of<TooLargeError>([&] { decode(tiff_file(tags, {"x"})); }), HasSubstr("decoded as a whole"));
}

/// A TIFF file of 5 x 3 pixels in two strips or, if there are planes, in two strips per plane. The 16-bit values depend
/// on the pixel and the channel.
std::string deep_tiff(std::uint64_t channels, bool in_planes, std::uint64_t orientation,
                      std::uint64_t photometric = 2) {
  const auto strip = [&](std::uint64_t first_row, std::uint64_t rows, std::uint64_t channel, std::uint64_t count) {
    std::string bytes;
    for (std::uint64_t pixel = first_row * 5; pixel < (first_row + rows) * 5; ++pixel) {
      for (std::uint64_t c = channel; c < channel + count; ++c) append_little_endian(bytes, 4000 * pixel + 900 * c, 2);
    }
    return bytes;
  };
  std::vector<std::string> strips;
  for (std::uint64_t plane = 0; plane < (in_planes ? channels : 1); ++plane) {
    strips.push_back(strip(0, 2, plane, in_planes ? 1 : channels));
    strips.push_back(strip(2, 1, plane, in_planes ? 1 : channels));
  }
  TiffTags tags = {{256, {5}},
                   {257, {3}},
                   {258, std::vector<std::uint64_t>(channels, 16)},
                   {259, {uncompressed}},
                   {262, {photometric}},
                   {274, {orientation}},
                   {277, {channels}},
                   {278, {2}},
                   {284, {in_planes ? 2u : 1u}}};
  if (channels == 2 || channels == 4) tags[338] = {2};  // the last channel is alpha
  return tiff_file(tags, strips);
}

TEST_F(DecodeWithOpenCv, Reads16BitPlanesOfATiffLikeInterleavedPixels) {
  for (const std::uint64_t channels : {3, 4}) {
    for (std::uint64_t orientation = 1; orientation <= 8; ++orientation) {
      const auto pixels = decode(deep_tiff(channels, false, orientation));
      const auto planes = decode(deep_tiff(channels, true, orientation));
      ASSERT_EQ(planes.image.size(), pixels.image.size()) << channels << orientation;
      EXPECT_EQ(cv::norm(planes.image, pixels.image, cv::NORM_INF), 0) << channels << orientation;
      EXPECT_TRUE(planes.facts.is_deep);
      EXPECT_EQ(planes.facts.largest_deep_value, 4000 * 14 + 900 * 2);
      EXPECT_EQ(planes.facts.has_transparency, channels == 4);
      EXPECT_EQ(planes.facts.size, pixels.facts.size);
    }
  }
  EXPECT_EQ(decode(deep_tiff(3, true, 1)).image.at<cv::Vec3b>(0, 0), cv::Vec3b(1800 >> 8, 900 >> 8, 0));
}

TEST_F(DecodeWithOpenCv, Refuses16BitPlanesOfATiffThatAreNotRgb) {
  const auto unsupported = AllOf(HasSubstr("not supported: "), HasSubstr("planes"), Not(HasSubstr("damaged")));
  EXPECT_THAT(refusal(deep_tiff(2, true, 1, 1)), unsupported);  // gray and alpha
  EXPECT_THAT(refusal(deep_tiff(4, true, 1, 5)), unsupported);  // CMYK
}

TEST_F(DecodeWithOpenCv, RefusesTiffsWithMoreThanFourChannels) {
  for (const bool in_planes : {false, true}) {
    EXPECT_THAT(refusal(deep_tiff(5, in_planes, 1)), HasSubstr("not supported: 5 channels (at most 4 are supported)"));
  }
}

TEST_F(DecodeWithOpenCv, RejectsTiffsWithAMissingPlane) {
  std::string bytes = deep_tiff(3, true, 1);
  const auto entry = bytes.find(std::string("\x11\1\4\0\6\0\0\0", 8));  // the offsets of six strips
  ASSERT_NE(entry, bytes.npos);
  const auto offsets = little_endian(std::string_view(bytes).substr(entry + 8, 4));
  bytes.replace(offsets + 4 * 4, 4, std::string("\0\0\1\0", 4));  // 64 KiB, which is beyond the end
  EXPECT_THAT(refusal(bytes), HasSubstr("damaged: the file is truncated"));
}

// --- BMP -------------------------------------------------------------------------------------------------------------

TEST_F(DecodeWithOpenCv, OrdersTheChannelsOfABmpByTheirMasks) {
  const cv::Vec3b expected(10, 20, 30);
  const std::array<std::uint64_t, 3> bgr = {0xff0000, 0xff00, 0xff}, rgb = {0xff, 0xff00, 0xff0000},
                                     late_bgr = {0xff000000, 0xff0000, 0xff00};
  for (const std::uint64_t header_size : {40, 52, 56, 108, 124}) {
    for (const auto& [masks, pixel] : std::vector<std::pair<std::array<std::uint64_t, 3>, std::string>>{
             {bgr, std::string("\x0a\x14\x1e\0", 4)},
             {rgb, std::string("\x1e\x14\x0a\0", 4)},
             {late_bgr, std::string("\0\x0a\x14\x1e", 4)}}) {
      const auto decoded = decode(bmp_file(header_size, pixel, 0, masks));
      EXPECT_EQ(decoded.image.at<cv::Vec3b>(1, 1), expected) << header_size << " " << masks[0];
      EXPECT_FALSE(decoded.facts.has_transparency);
    }
    if (header_size < 56) continue;
    const auto transparent = decode(bmp_file(header_size, "\x1e\x14\x0a\x7f", 0xff000000, rgb));
    EXPECT_EQ(transparent.image.at<cv::Vec3b>(1, 1), expected) << header_size;
    EXPECT_TRUE(transparent.facts.has_transparency);
  }
}

TEST_F(DecodeWithOpenCv, RefusesMasksOfABmpThatOpenCvIgnores) {
  const std::string pixel("\x0a\x14\x1e\0", 4);
  EXPECT_THAT(refusal(bmp_file(40, pixel, 0, {0x3ff00000, 0xffc00, 0x3ff})),
              AllOf(HasSubstr("not supported: "), HasSubstr("0x3ff00000"), Not(HasSubstr("damaged"))));
  std::string with_alpha = bmp_file(56, pixel, 0xff000000);
  with_alpha[30] = 6;  // the compression
  EXPECT_THAT(refusal(with_alpha), AllOf(HasSubstr("not supported: "), Not(HasSubstr("damaged"))));
}

}  // namespace
}  // namespace slopegan
