#include <filesystem>
#include <gif_lib.h>
#include <set>

#include <gmock/gmock.h>

#include "data/file_writers.h"
#include "images/image_file.h"
#include "program.h"

namespace slopegan::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

/// The number of frames of an animation and their size.
struct Gif {
  int frames = 0;
  cv::Size size;
};

Gif look_at_gif(const fs::path& file) {
  int error = 0;
  GifFileType* gif = DGifOpenFileName(file.c_str(), &error);
  if (gif == nullptr) return {};
  Gif found;
  if (DGifSlurp(gif) == GIF_OK) found = {gif->ImageCount, {gif->SWidth, gif->SHeight}};
  DGifCloseFile(gif, &error);
  return found;
}

/// Trains a run, or a sweep of two slopes, on labelled bright and dark images, and draws pictures with `grid`.
class GridViews : public ProgramTest {
 protected:
  GridViews() {
    fs::create_directory(data());
    for (const auto& [split, count] : {std::pair("train", 300u), {"t10k", 60u}}) {
      std::string images, labels;
      for (std::size_t i = 0; i < count * 784u; ++i) {
        images += static_cast<char>(i / 784 % 2 * 150 + (i * i % 31 + i) % 90);
      }
      for (std::size_t i = 0; i < count; ++i) labels += static_cast<char>(i % 2);
      write_bytes(data() / (std::string(split) + "-images-idx3-ubyte"), idx_header({count, 28, 28}) + images);
      write_bytes(data() / (std::string(split) + "-labels-idx1-ubyte"), idx_header({count}) + labels);
    }
  }
  fs::path data() const { return directory_ / "data"; }
  fs::path made() const { return outputs() / "smoke"; }
  void make(const std::string& command, const std::vector<std::string>& more = {}) {
    auto arguments = smoke(command, {"training.total_images=480", "samples.every_images=160", "training.threads=1",
                                     "diagnostics.every_images=0", "data.path=" + data().string()});
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto result = slopegan(arguments);
    ASSERT_EQ(result.code, 0) << result.err;
  }
  Result grid(const std::vector<std::string>& more, const fs::path& of = {}) {
    std::vector<std::string> arguments = {"grid", (of.empty() ? made() : of).string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return slopegan(arguments);
  }
  /// Runs `grid` and returns the first path that it prints.
  fs::path drawn(const std::vector<std::string>& more, const fs::path& of = {}) {
    const auto result = grid(more, of);
    EXPECT_EQ(result.code, 0) << result.err;
    return result.out.substr(0, result.out.find('\n'));
  }
};

TEST_F(GridViews, DrawsDifferencesAnimationsAndWalksOfASweep) {
  make("sweep");
  const auto difference = drawn({"--difference", "0,0.2", "--columns", "4"});
  EXPECT_EQ(difference, made() / "difference_0_0.2.png");
  const auto still = read_image(difference);
  EXPECT_GT(still.rows, 3 * 64);
  EXPECT_LT(still.rows, 400);

  const auto training = drawn({"--animate", "--columns", "4"});
  EXPECT_EQ(training, made() / "training.gif");
  EXPECT_EQ(look_at_gif(training).frames, 3);  // samples after 160, 320 and 480 images
  EXPECT_GT(look_at_gif(training).size.height, 2 * 64);

  const auto walk = read_image(drawn({"--walk", "5"}));
  EXPECT_GT(walk.cols, 6 * 64);  // 5 steps, 6 images
  EXPECT_LT(walk.rows, 310);

  const auto moving = drawn({"--walk", "5", "--animate", "--columns", "4", "--out", (directory_ / "a.gif").string()});
  EXPECT_EQ(moving, directory_ / "a.gif");
  EXPECT_EQ(look_at_gif(moving).frames, 15);  // 5 frames for each of the 3 segments of a closed walk
}

TEST_F(GridViews, DrawsRunsAndSweepsByClass) {
  make("sweep");
  const auto sheet = read_image(drawn({"--by-class"}));
  EXPECT_GT(sheet.rows, 3 * 64);
  const auto of_run = drawn({"--by-class", "--columns", "5"}, made() / "runs/slope_0-seed_0");
  EXPECT_EQ(of_run, made() / "runs/slope_0-seed_0/by_class.png");
  EXPECT_GT(read_image(of_run).cols, 6 * 64);
}

TEST_F(GridViews, DrawsAnimationsAndWalksOfARun) {
  make("train");
  const auto training = drawn({"--animate", "--rows", "2", "--columns", "3", "--scale", "1"});
  EXPECT_EQ(training, made() / "training.gif");
  EXPECT_EQ(look_at_gif(training).frames, 3);
  const auto walk = drawn({"--walk", "4", "--animate", "--rows", "1", "--columns", "2"});
  EXPECT_EQ(look_at_gif(walk).frames, 12);
  EXPECT_EQ(drawn({"--walk", "4"}, made() / "checkpoints/480"), made() / "walk_480.png");
  EXPECT_EQ(grid({"--animate"}, made() / "checkpoints/480").code, 2);
}

TEST_F(GridViews, ManyRowsAreSplitIntoPages) {
  make("train");
  const auto result = grid({"--rows", "150", "--columns", "2", "--out", (directory_ / "long.png").string()});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, (directory_ / "long.png").string() + "\n" + (directory_ / "long_2.png").string() + "\n");
  EXPECT_LE(read_image(directory_ / "long.png").rows, 8000);
  const int once = read_image(drawn({"--rows", "1", "--scale", "1"})).cols;
  EXPECT_GT(read_image(drawn({"--rows", "1", "--scale", "3"})).cols, once + 12 * 32);
}

TEST_F(GridViews, DarkOrLargerPicturesHaveDifferentFileNames) {
  make("train");
  const auto usual = drawn({"--rows", "1"});
  EXPECT_EQ(usual, made() / "grid.png");
  const auto before = read_text(usual);
  const auto dark = drawn({"--rows", "1", "--dark", "--pixel-ratio", "2"});
  EXPECT_EQ(dark, made() / "grid_dark@2x.png");
  EXPECT_NEAR(read_image(dark).cols, 2 * read_image(usual).cols, 8);
  EXPECT_LT(cv::mean(read_image(dark).row(0))[0], 60);
  EXPECT_EQ(read_text(drawn({"--rows", "1"})), before);  // drawing is deterministic
  EXPECT_EQ(drawn({"--animate", "--dark"}), made() / "training_dark.gif");
  EXPECT_EQ(grid({"--pixel-ratio", "0"}).code, 2);
  EXPECT_EQ(grid({"--pixel-ratio", "1.5"}).code, 2);
}

TEST_F(GridViews, ReportsInvalidArguments) {
  make("sweep");
  const auto unknown = grid({"--difference", "0,0.3"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("the sweep has no slope 0.3; it has 0, 0.2"));
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"--difference", "0"},
                                             {"--difference", "0,x"},
                                             {"--difference", "0,0.2", "--by-class"},
                                             {"--by-class", "--animate"},
                                             {"--animate", "--out", "a.png"},
                                             {"--walk", "3", "--out", "a.gif"},
                                             {"--rows", "3"},
                                             {"--columns", "4", "--by-class"},
                                             {"--columns", "4", "--walk", "3"}}) {
    EXPECT_EQ(grid(wrong).code, 2) << wrong[0];
  }
  const auto run = made() / "runs/slope_0-seed_0";
  EXPECT_THAT(grid({"--rows", "3", "--by-class"}, run).err, HasSubstr("--rows cannot be combined with --by-class"));
  EXPECT_EQ(grid({"--columns", "4", "--walk", "3"}, run).code, 2);
  EXPECT_EQ(grid({"--difference", "0,0.2"}, run).code, 2);
  for (const char* split : {"train", "t10k"}) fs::remove(data() / (std::string(split) + "-labels-idx1-ubyte"));
  const auto unlabelled = grid({"--by-class"});
  EXPECT_EQ(unlabelled.code, 2);
  EXPECT_THAT(unlabelled.err, HasSubstr("no labels"));
}

}  // namespace
}  // namespace slopegan::testing
