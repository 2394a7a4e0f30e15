#include <cstdio>  // before jpeglib.h, which needs it
#include <jpeglib.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expect_error.h"
#include "images/gif.h"
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

const DecodeOptions no_background{.background = std::nullopt};

class DecodeImage : public ImageDecoding {
 protected:
  static cv::Mat noise(int rows = 40, int columns = 60, int type = CV_8UC3) {
    cv::Mat image(rows, columns, type);
    cv::randu(image, cv::Scalar::all(0), cv::Scalar::all(256));
    return image;
  }
};

cv::Vec3b pixel(const DecodedImage& decoded, int y = 0, int x = 0) { return decoded.image.at<cv::Vec3b>(y, x); }

// --- Large images ----------------------------------------------------------------------------------------------------

TEST_F(DecodeImage, ReducesLargeImages) {
  cv::Mat large(4200, 4100, CV_8UC3, cv::Scalar(10, 20, 30));  // 17 megapixels
  large(cv::Rect(2050, 0, 2050, 4200)).setTo(cv::Scalar(200, 100, 50));
  for (const std::string ending : {".jpg", ".png", ".bmp"}) {
    const auto decoded = decode(encoded(ending, large));
    EXPECT_EQ(decoded.image.size(), cv::Size(2050, 2100)) << ending;
    EXPECT_EQ(decoded.facts.size, large.size());
    EXPECT_EQ(decoded.facts.reduction, 2);
    EXPECT_LE(cv::norm(pixel(decoded), cv::Vec3b(10, 20, 30), cv::NORM_INF), 2);
    EXPECT_LE(cv::norm(pixel(decoded, 2099, 2049), cv::Vec3b(200, 100, 50), cv::NORM_INF), 2);
  }
  EXPECT_EQ(decode(encoded(".png", noise())).facts.reduction, 1);
}

TEST_F(DecodeImage, KeepsTheFullSizeOnRequest) {
  cv::Mat large(4200, 4100, CV_8UC3, cv::Scalar(10, 20, 30));
  large.at<cv::Vec3b>(4199, 4099) = {200, 100, 50};
  DecodeOptions whole;
  whole.reduce = false;
  for (const std::string ending : {".jpg", ".png", ".bmp"}) {
    const auto decoded = decode(encoded(ending, large), whole);
    EXPECT_EQ(decoded.image.size(), large.size()) << ending;
    EXPECT_EQ(decoded.facts.reduction, 1);
    EXPECT_LE(cv::norm(pixel(decoded), cv::Vec3b(10, 20, 30), cv::NORM_INF), 2);
    if (ending != ".jpg") {
      EXPECT_EQ(cv::norm(decoded.image, large, cv::NORM_INF), 0);
    }
  }
}

TEST_F(DecodeImage, AveragesBlocksOfPixelsEvenAtTheEdges) {
  cv::Mat large(5001, 2801, CV_8UC1, cv::Scalar(0));
  large(cv::Rect(0, 0, 1, 1)).setTo(100);    // one pixel of a block of four
  large.at<std::uint8_t>(5000, 2800) = 100;  // the corner, the only pixel of its block
  const auto decoded = decode(encoded(".png", large));
  ASSERT_EQ(decoded.image.size(), cv::Size(1401, 2501));
  EXPECT_EQ(decoded.image.at<std::uint8_t>(0, 0), 25);
  EXPECT_EQ(decoded.image.at<std::uint8_t>(2500, 1400), 100);
}

TEST_F(DecodeImage, ReportsHugeImagesAsTooLargeRatherThanDamaged) {
  const auto too_large = [&](const std::string& bytes) { return message_of<TooLargeError>([&] { decode(bytes); }); };
  std::string png = encoded(".png", noise()), bmp = encoded(".bmp", noise()), gif = "GIF89a\xff\xff\xff\xff";
  png.replace(16, 8, std::string("\0\1\0\0\0\1\0\0", 8));  // 65,536 × 65,536
  EXPECT_THAT(too_large(png),
              AllOf(HasSubstr("65536 x 65536"), HasSubstr("256 megapixels"), Not(HasSubstr("damaged"))));
  bmp.replace(18, 8, std::string("\0\x3e\0\0\0\x3e\0\0", 8));  // 15,872 × 15,872, decoded as a whole
  EXPECT_THAT(too_large(bmp), HasSubstr("384 MiB"));
  EXPECT_THAT(too_large(gif), HasSubstr("65535 x 65535"));
  std::string jpeg = encoded(".jpg", noise());
  const auto frame = jpeg.find("\xff\xc0");
  jpeg.replace(frame + 5, 4, "\xff\xdc\xff\xdc");
  EXPECT_THAT(too_large(jpeg), HasSubstr("65500 x 65500"));
}

TEST_F(DecodeImage, LimitsTheMemoryForTheCoefficientsOfProgressiveJpegs) {
  std::string jpeg = encoded(".jpg", noise(), {cv::IMWRITE_JPEG_PROGRESSIVE, 1});
  const auto frame = jpeg.find("\xff\xc2");
  ASSERT_NE(frame, jpeg.npos);
  jpeg.replace(frame + 5, 4, "\x3e\x80\x3e\x80");  // 16,000 × 16,000
  EXPECT_THAT(message_of<TooLargeError>([&] { decode(jpeg); }), HasSubstr("decoded as a whole"));
}

// --- Slightly damaged files ------------------------------------------------------------------------------------------

TEST_F(DecodeImage, ReadsFilesThatLackOnlyTheirEnd) {
  const std::string png = encoded(".png", noise()), jpeg = encoded(".jpg", noise()),
                    progressive = encoded(".jpg", noise(), {cv::IMWRITE_JPEG_PROGRESSIVE, 1});
  const auto without = [](const std::string& bytes, std::size_t count) {
    return bytes.substr(0, bytes.size() - count);
  };
  for (const auto& [whole, missing] : std::vector<std::pair<std::string, std::size_t>>{
           {png, 12}, {png, 5}, {png, 16}, {png, 20}, {jpeg, 2}, {jpeg, 1}, {progressive, 2}}) {
    const auto expected = decode(whole), decoded = decode(without(whole, missing));
    EXPECT_FALSE(expected.facts.lacks_end);
    EXPECT_TRUE(decoded.facts.lacks_end) << missing;
    EXPECT_EQ(cv::norm(decoded.image, expected.image, cv::NORM_INF), 0) << missing;
  }
}

TEST_F(DecodeImage, ReadsFilesWithTrailingBytes) {
  for (const std::string ending : {".png", ".jpg", ".webp", ".bmp", ".tif"}) {
    const std::string whole = encoded(ending, noise());
    EXPECT_EQ(cv::norm(decode(whole + std::string(500, 'x')).image, decode(whole).image, cv::NORM_INF), 0) << ending;
  }
}

TEST_F(DecodeImage, RejectsImagesWithAMissingPart) {
  const std::string progressive = encoded(".jpg", noise(), {cv::IMWRITE_JPEG_PROGRESSIVE, 1});
  EXPECT_THAT(refusal(progressive.substr(0, progressive.rfind("\xff\xda"))), HasSubstr("truncated"));  // lacks a scan
  for (const std::string ending : {".png", ".jpg", ".webp", ".bmp", ".tif"}) {
    const std::string whole = encoded(ending, noise());
    for (const std::size_t percent : {1, 20, 50, 90}) {
      EXPECT_THAT(refusal(whole.substr(0, whole.size() * percent / 100)), HasSubstr("damaged")) << ending << percent;
    }
  }
  const std::string jpeg = encoded(".jpg", noise());
  EXPECT_THAT(refusal(jpeg.substr(0, jpeg.size() / 2) + "\xff\xd9"), HasSubstr("damaged"));  // with an end marker
}

TEST_F(DecodeImage, ReportsWarningsFromTheLibrariesInsteadOfPrintingThem) {
  const std::string png = encoded(".png", noise()), jpeg = encoded(".jpg", noise());
  const std::string profile("sRGB\0\0x\x9c", 8);
  const auto with_profile = decode(with_png_chunk(png, "iCCP", profile + std::string(20, 'x')));
  EXPECT_THAT(with_profile.facts.complaint, HasSubstr("iCCP"));
  EXPECT_EQ(cv::norm(with_profile.image, decode(png).image, cv::NORM_INF), 0);
  EXPECT_THAT(decode(with_extraneous_bytes(jpeg)).facts.complaint, HasSubstr("4 extraneous bytes"));
  EXPECT_THAT(decode(jpeg).facts.complaint, IsEmpty());
}

TEST_F(DecodeImage, SkipsStrayBytesBeforeTheFrameHeaderOfAJpeg) {
  const std::string jpeg = encoded(".jpg", noise()), stray = with_extraneous_bytes(jpeg, "\xff\xc0");
  EXPECT_EQ(declared_size(stray), cv::Size(60, 40));
  const auto decoded = decode(stray);
  EXPECT_THAT(decoded.facts.complaint, HasSubstr("extraneous bytes"));
  EXPECT_EQ(cv::norm(decoded.image, decode(jpeg).image, cv::NORM_INF), 0);
  EXPECT_THROW(read_image_as_in_0_9(directory_.write("stray.jpg", stray)), DataError);
}

// --- Transparency ----------------------------------------------------------------------------------------------------

TEST_F(DecodeImage, PutsABackgroundBehindTransparentPixels) {
  const cv::Size size(4, 3);
  const DecodeOptions green{.background = cv::Vec3b(0, 255, 0)}, black{.background = cv::Vec3b(0, 0, 0)};
  const std::string rubbish = png_file(size, 8, 6, png_rows(size, std::string("\xc8\x64\x32\x00", 4)));
  EXPECT_EQ(pixel(decode(rubbish)), cv::Vec3b(255, 255, 255));
  EXPECT_EQ(pixel(decode(rubbish, black)), cv::Vec3b(0, 0, 0));
  EXPECT_EQ(pixel(decode(rubbish, green)), cv::Vec3b(0, 255, 0));
  EXPECT_EQ(pixel(decode(rubbish, no_background)), cv::Vec3b(0x32, 0x64, 0xc8));
  EXPECT_TRUE(decode(rubbish).facts.has_transparency);
  const std::string half = png_file(size, 8, 6, png_rows(size, "\xc8\x64\x32\x80"));
  EXPECT_LE(cv::norm(pixel(decode(half, black)), cv::Vec3b(25, 50, 100), cv::NORM_INF), 1);
  const std::string opaque = png_file(size, 8, 6, png_rows(size, "\xc8\x64\x32\xff"));
  EXPECT_FALSE(decode(opaque).facts.has_transparency);
  EXPECT_EQ(pixel(decode(opaque, green)), cv::Vec3b(0x32, 0x64, 0xc8));
}

TEST_F(DecodeImage, RecognisesTransparencyOfEveryKind) {
  const cv::Size size(4, 3);
  const auto is_white = [&](const std::string& bytes) {
    const auto decoded = decode(bytes);
    EXPECT_TRUE(decoded.facts.has_transparency);
    return cv::norm(decoded.image, cv::Mat(decoded.image.size(), decoded.image.type(), cv::Scalar::all(255)),
                    cv::NORM_INF) == 0;
  };
  EXPECT_TRUE(is_white(png_file(size, 8, 4, png_rows(size, std::string("\x64\0", 2)))));  // gray and alpha
  const std::string palette = png_chunk("PLTE", "\x10\x20\x30\x40\x50\x60");
  EXPECT_TRUE(
      is_white(png_file(size, 8, 3, png_rows(size, "\1"), palette + png_chunk("tRNS", std::string("\xff\0", 2)))));
  EXPECT_TRUE(is_white(png_file(size, 8, 0, png_rows(size, "\7"), png_chunk("tRNS", std::string("\0\7", 2)))));
  EXPECT_TRUE(is_white(png_file(size, 16, 6, png_rows(size, deep_pixel({1000, 2000, 3000, 0})))));
  const cv::Mat transparent(9, 9, CV_8UC4, cv::Scalar(50, 100, 200, 0));
  EXPECT_TRUE(is_white(encoded(".webp", transparent, {cv::IMWRITE_WEBP_QUALITY, 101})));
  EXPECT_TRUE(is_white(encoded(".webp", transparent, {cv::IMWRITE_WEBP_QUALITY, 80})));
}

TEST_F(DecodeImage, TreatsTheFourthByteOfABmpAsAlphaOnlyIfThereIsAnAlphaMask) {
  const std::string colour("\x0a\x14\x1e", 3), unused = colour + '\0', opaque = colour + '\xff';
  const cv::Vec3b shown(10, 20, 30), white(255, 255, 255);
  for (const std::uint64_t header_size : {40, 52, 56, 108}) {
    const auto decoded = decode(bmp_file(header_size, unused));
    EXPECT_EQ(pixel(decoded), shown) << header_size;
    EXPECT_FALSE(decoded.facts.has_transparency);
    if (header_size < 56) continue;
    EXPECT_EQ(pixel(decode(bmp_file(header_size, unused, 0xff000000))), white);
    EXPECT_EQ(pixel(decode(bmp_file(header_size, opaque, 0xff000000))), shown);
  }
}

TEST_F(DecodeImage, KeepsGrayImagesGrayOnAGrayBackground) {
  const cv::Size size(4, 3);
  const std::string bytes = png_file(size, 8, 4, png_rows(size, std::string("\x64\0", 2)));
  EXPECT_EQ(decode(bytes).image.type(), CV_8UC1);
  EXPECT_EQ(pixel(decode(bytes, {.background = cv::Vec3b(1, 2, 3)})), cv::Vec3b(1, 2, 3));
}

// --- Other pixel formats ---------------------------------------------------------------------------------------------

TEST_F(DecodeImage, KeepsTheEightMostSignificantOfTheUsedBits) {
  const cv::Size size(4, 3);
  const std::string deep = png_file(size, 16, 2, png_rows(size, deep_pixel({4095, 2048, 16})));
  const auto as_16_bits = decode(deep), as_12_bits = decode(deep, {.deep_bits = 12});
  EXPECT_EQ(pixel(as_16_bits), cv::Vec3b(0, 8, 15));  // nearly black
  EXPECT_EQ(pixel(as_12_bits), cv::Vec3b(1, 128, 255));
  EXPECT_TRUE(as_12_bits.facts.is_deep);
  EXPECT_EQ(as_12_bits.facts.largest_deep_value, 4095);
  const cv::Mat gray(5, 5, CV_16UC1, cv::Scalar(1023));
  const auto tiff = decode(encoded(".tif", gray), {.deep_bits = 10});
  EXPECT_EQ(tiff.image.at<std::uint8_t>(0, 0), 255);
  EXPECT_EQ(tiff.facts.largest_deep_value, 1023);
  EXPECT_FALSE(decode(encoded(".png", noise())).facts.is_deep);
}

TEST_F(DecodeImage, Detects16BitFilesFromTheirHeaders) {
  const auto is_deep = [&](const std::string& ending, int type) {
    return is_deep_file(directory_.write("image.any", encoded(ending, cv::Mat(5, 5, type, cv::Scalar::all(7)))));
  };
  EXPECT_TRUE(is_deep(".png", CV_16UC1) && is_deep(".png", CV_16UC3) && is_deep(".tif", CV_16UC3));
  EXPECT_FALSE(is_deep(".png", CV_8UC1) || is_deep(".tif", CV_8UC3) || is_deep(".jpg", CV_8UC3));
  EXPECT_FALSE(is_deep_file(directory_ / "missing.png"));
}

TEST_F(DecodeImage, ReadsPaletteAndOneBitImages) {
  const cv::Size size(8, 2);
  const std::string palette = png_chunk("PLTE", "\x10\x20\x30\x40\x50\x60");
  EXPECT_EQ(pixel(decode(png_file(size, 8, 3, png_rows(size, "\1"), palette))), cv::Vec3b(0x60, 0x50, 0x40));
  const std::string rows("\0\x80\0\x80", 4);  // one white pixel per row
  const auto bits = decode(png_file(size, 1, 0, rows));
  EXPECT_EQ(bits.image.at<std::uint8_t>(1, 0), 255);
  EXPECT_EQ(bits.image.at<std::uint8_t>(1, 1), 0);
}

/// A JPEG file of 16 × 16 pixels with four inks, which are stored inverted, as Adobe's programs store them.
std::string cmyk_jpeg(std::array<std::uint8_t, 4> inks, bool arithmetic = false) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &memory, &size);
  info.image_width = info.image_height = 16;
  info.input_components = 4;
  info.in_color_space = JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 100, TRUE);
  info.arith_code = arithmetic ? TRUE : FALSE;
  jpeg_start_compress(&info, TRUE);
  std::vector<JSAMPLE> row;
  for (int x = 0; x < 16; ++x) {
    for (const auto ink : inks) row.push_back(static_cast<JSAMPLE>(255 - ink));
  }
  JSAMPROW rows = row.data();
  while (info.next_scanline < info.image_height) jpeg_write_scanlines(&info, &rows, 1);
  jpeg_finish_compress(&info);
  std::string bytes(reinterpret_cast<const char*>(memory), size);
  jpeg_destroy_compress(&info);
  std::free(memory);
  return bytes;
}

TEST_F(DecodeImage, ConvertsTheInksOfACmykJpeg) {
  const auto cyan = decode(cmyk_jpeg({255, 0, 0, 0}));
  EXPECT_TRUE(cyan.facts.is_cmyk);
  EXPECT_LE(cv::norm(pixel(cyan), cv::Vec3b(255, 255, 0), cv::NORM_INF), 3);
  EXPECT_LE(cv::norm(pixel(decode(cmyk_jpeg({0, 0, 0, 255}))), cv::Vec3b(0, 0, 0), cv::NORM_INF), 3);
  EXPECT_LE(cv::norm(pixel(decode(cmyk_jpeg({0, 128, 255, 0}))), cv::Vec3b(0, 127, 255), cv::NORM_INF), 3);
}

TEST_F(DecodeImage, RejectsAnArithmeticallyCodedJpegWithAnInvalidCode) {
#if !defined(C_ARITH_CODING_SUPPORTED) || !defined(D_ARITH_CODING_SUPPORTED)
  GTEST_SKIP() << "libjpeg was built without arithmetic coding";
#endif
  std::string jpeg = cmyk_jpeg({255, 0, 0, 0}, true);
  EXPECT_LE(cv::norm(pixel(decode(jpeg)), cv::Vec3b(255, 255, 0), cv::NORM_INF), 3);
  const auto scan = jpeg.find("\xff\xda");
  jpeg.resize(scan + 2 + big_endian(jpeg.substr(scan + 2, 2)));
  for (int i = 0; i < 100; ++i) jpeg += "\x18\x7f";  // these bytes contain an invalid code
  EXPECT_THAT(refusal(jpeg + "\xff\xd9"), HasSubstr("bad arithmetic code"));
}

TEST_F(DecodeImage, ReportsTheTypeOfUnsupportedPixels) {
  const cv::Mat real(5, 5, CV_32FC1, cv::Scalar(0.5));
  EXPECT_THAT(refusal(encoded(".tif", real)), AllOf(HasSubstr("not supported: 32 bits"), Not(HasSubstr("damaged"))));
}

// --- Several images in a file, and orientation -----------------------------------------------------------------------

TEST_F(DecodeImage, ReadsTheFirstFrameOfAGif) {
  GifWriter writer(directory_ / "animation.gif");
  writer.add(cv::Mat(10, 12, CV_8UC3, cv::Scalar(10, 20, 30)), 5);
  writer.add(cv::Mat(10, 12, CV_8UC3, cv::Scalar(200, 100, 50)), 5);
  writer.finish();
  const auto decoded = decode_image(directory_ / "animation.gif");
  EXPECT_EQ(pixel(decoded, 9, 11), cv::Vec3b(10, 20, 30));
  EXPECT_TRUE(decoded.facts.is_animation);
  EXPECT_FALSE(decoded.facts.has_transparency);
}

std::string webp_chunk(const std::string& type, const std::string& data) {
  std::string chunk = type;
  append_little_endian(chunk, data.size(), 4);
  return chunk + data + std::string(data.size() % 2, '\0');
}

TEST_F(DecodeImage, ReadsTheFirstFrameOfAnAnimatedWebP) {
  const cv::Mat frame(4, 6, CV_8UC3, cv::Scalar(10, 20, 30));
  const std::string still = encoded(".webp", frame, {cv::IMWRITE_WEBP_QUALITY, 101}).substr(12);
  // A frame of 6 × 4 at (2, 0) on a canvas of 8 × 4.
  const std::string frame_header("\1\0\0\0\0\0\5\0\0\3\0\0\x64\0\0\0", 16);
  const std::string chunks = webp_chunk("VP8X", std::string("\x02\0\0\0\7\0\0\3\0\0", 10)) +
                             webp_chunk("ANIM", std::string(6, '\0')) + webp_chunk("ANMF", frame_header + still);
  for (const std::string& more : {std::string(), webp_chunk("ANMF", frame_header + still)}) {
    std::string riff = "RIFF";
    append_little_endian(riff, chunks.size() + more.size() + 4, 4);
    const auto decoded = decode(riff + "WEBP" + chunks + more);
    EXPECT_EQ(decoded.facts.is_animation, !more.empty());
    ASSERT_EQ(decoded.image.size(), cv::Size(8, 4));
    EXPECT_EQ(pixel(decoded, 0, 0), cv::Vec3b(255, 255, 255));
    EXPECT_EQ(pixel(decoded, 3, 2), cv::Vec3b(10, 20, 30));
  }
}

TEST_F(DecodeImage, ReadsTheStillImageOfAnAnimatedPng) {
  const std::string png = encoded(".png", cv::Mat(4, 6, CV_8UC3, cv::Scalar(10, 20, 30)));
  const std::string frame(26, '\0');
  const auto with = [](std::string bytes, const std::string& chunk, const std::string& before) {
    return bytes.insert(bytes.find(before) - 4, chunk);
  };
  const auto count = [](char frames) {
    return png_chunk("acTL", std::string("\0\0\0", 3) + frames + std::string(4, '\0'));
  };
  const std::string one_frame = with(png, count(1) + png_chunk("fcTL", frame), "IDAT");
  const std::string later_frame = png_chunk("fcTL", frame) + png_chunk("fdAT", std::string(4, '\0') + "x");
  EXPECT_FALSE(decode(one_frame).facts.is_animation);
  EXPECT_TRUE(decode(with(one_frame, later_frame, "IEND")).facts.is_animation);
  EXPECT_TRUE(decode(with(with(png, count(1), "IDAT"), later_frame, "IEND")).facts.is_animation);
  EXPECT_EQ(pixel(decode(with(one_frame, later_frame, "IEND")), 3, 5), cv::Vec3b(10, 20, 30));
}

TEST_F(DecodeImage, TurnsImagesUprightAccordingToTheirExifOrientation) {
  cv::Mat image(32, 48, CV_8UC3, cv::Scalar::all(0));
  image(cv::Rect(0, 0, 16, 16)).setTo(cv::Scalar::all(255));  // the upper left is white
  const std::string jpeg = encoded(".jpg", image);
  const auto is_white = [](const DecodedImage& decoded, bool right, bool below) {
    return pixel(decoded, below ? decoded.image.rows - 3 : 2, right ? decoded.image.cols - 3 : 2)[0] > 200;
  };
  for (char orientation = 1; orientation <= 8; ++orientation) {
    const auto decoded = decode(with_orientation(jpeg, orientation));
    const bool right = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
    const bool below = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
    EXPECT_TRUE(is_white(decoded, right, below)) << int{orientation};
    EXPECT_FALSE(is_white(decoded, !right, below)) << int{orientation};
    EXPECT_EQ(decoded.image.size(), orientation >= 5 ? cv::Size(32, 48) : cv::Size(48, 32)) << int{orientation};
    EXPECT_EQ(decoded.facts.size, decoded.image.size());
  }
  const std::string png = encoded(".png", image);
  EXPECT_TRUE(is_white(decode(with_png_chunk(png, "eXIf", exif_data(6))), true, false));
  EXPECT_EQ(decode(with_png_chunk(png, "eXIf", exif_data(6))).facts.size, cv::Size(32, 48));
}

TEST_F(DecodeImage, DecodesOrRejectsDamagedFiles) {
  for (const std::string ending : {".png", ".jpg", ".webp", ".bmp", ".tif"}) {
    const std::string whole = encoded(ending, noise());
    for (std::size_t at = 0; at < whole.size(); at += 1 + whole.size() / 97) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ 0x55);
      try {
        decode(bytes);
      } catch (const DataError&) {  // some damage is not detected; other exceptions are failures
      }
    }
  }
}

}  // namespace
}  // namespace slopegan
