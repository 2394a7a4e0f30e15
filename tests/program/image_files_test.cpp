#include <cstdlib>
#include <functional>

#include <gmock/gmock.h>
#include <opencv2/imgcodecs.hpp>

#include "images/image_writers.h"
#include "program.h"
#include "support/text.h"
#include "temporary_directory.h"

namespace slopegan::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// Runs `slopegan data` on a folder of unusual files. Each test has its own cache.
class ImageFiles : public ProgramTest {
 protected:
  ImageFiles() { fs::create_directory(directory_ / "photos"); }

  void write(const std::string& name, const std::string& bytes) const { directory_.write("photos/" + name, bytes); }

  Result data(const std::vector<std::string>& more = {}, const std::function<void()>& prepare = {}) {
    std::vector<std::string> arguments = {"data", config_file("faces_64.yaml"),
                                          "data.path=" + (directory_ / "photos").string(), "--out",
                                          (directory_ / "reals.png").string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(directory_.path(), arguments, prepare);
  }

  const CacheDirectory cache_;
};

TEST_F(ImageFiles, PhotographsFromACameraAreReadWithLittleMemory) {
  const std::string photo = encoded(".jpg", cv::Mat(4000, 6000, CV_8UC3, cv::Scalar(50, 100, 200)));
  for (int i = 0; i < 5; ++i) write(format_text("{}.jpg", i), photo);
  const auto one_thread = [] { ::setenv("OMP_NUM_THREADS", "1", 1); };  // each thread decodes a photograph
  const auto result = data({}, one_thread);
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("5 of 64 x 64 pixels"),
                    HasSubstr("5 images: 5 cropped to the central square (at most 33 % of the area is cut)"),
                    HasSubstr("5 images have more than 12 megapixels")));
  // Reading one photograph, decoded at half its size, takes about 80 MiB in all. At full size, its pixels take 69 MiB,
  // its central square in float32 takes 183 MiB, and the pixels of all five photographs take 345 MiB.
  const auto small =
      run(directory_.path(), {"data", config_file("smoke.yaml"), "--out", (directory_ / "x.png").string()}, one_thread);
  ASSERT_EQ(small.code, 0) << small.err;
  EXPECT_LT(result.peak_mib, small.peak_mib + 150);
}

TEST_F(ImageFiles, LibrariesPrintNothingAndTheirWarningsAreLoggedOnce) {
  cv::Mat image(64, 64, CV_8UC3);
  cv::randu(image, cv::Scalar::all(0), cv::Scalar::all(256));
  const std::string png = encoded(".png", image), jpeg = encoded(".jpg", image);
  const std::string profile = std::string("sRGB\0\0x\x9c", 8) + std::string(20, 'x');
  for (int i = 0; i < 30; ++i) {
    write(format_text("{}.png", i), with_png_chunk(png, "iCCP", profile));
    write(format_text("{}.jpg", i), with_extraneous_bytes(jpeg));
    write(format_text("cut{}.jpg", i), jpeg.substr(0, jpeg.size() - 2));
  }
  for (const auto* ending : {".png", ".jpg", ".webp", ".tif", ".bmp"}) {
    const std::string whole = encoded(ending, image);
    write("half" + std::string(ending), whole.substr(0, whole.size() / 2));
  }
  const auto result = data({"data.max_unreadable=0.1"});
  ASSERT_EQ(result.code, 0) << result.err;
  for (const auto* word : {"libpng", "Corrupt JPEG", "imdecode", "WARN:", "OpenCV"}) {
    EXPECT_THAT(result.err, Not(HasSubstr(word)));
  }
  EXPECT_THAT(result.out, AllOf(HasSubstr("60 images are used although the decoder reports a problem"),
                                HasSubstr("30 files end early but contain every pixel"),
                                HasSubstr("half.jpg: the image is damaged")));
  EXPECT_EQ(data({"data.max_unreadable=0.1"}).out, result.out);  // the images are now in the cache
}

TEST_F(ImageFiles, TheBackgroundCanBeSetOnTheCommandLine) {
  const cv::Size size(64, 64);
  const std::string rubbish = png_file(size, 8, 6, png_rows(size, std::string("\x80\x81\x82\0", 4)));
  write("a.png", rubbish);
  write("b.png", rubbish);
  EXPECT_THAT(data({"data.background=#102030"}).out,
              AllOf(HasSubstr("pixels  16 to 48,"), HasSubstr("transparent pixels become #102030")));
  EXPECT_THAT(data().out, HasSubstr("pixels  255 to 255,"));
  EXPECT_THAT(data({"data.background=none"}).out, HasSubstr("pixels  128 to 130,"));
}

}  // namespace
}  // namespace slopegan::testing
