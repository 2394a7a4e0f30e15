#include "images/grid.h"

#include <stdexcept>

#include <gtest/gtest.h>

#include "images/convert.h"
#include "images/image_file.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

torch::Tensor noise(torch::IntArrayRef shape) { return torch::rand(shape).mul(2).sub(1); }

bool same(const cv::Mat& a, const cv::Mat& b) {
  return a.size() == b.size() && a.type() == b.type() && cv::norm(a, b, cv::NORM_INF) == 0;
}

TEST(TileGrid, PlacesEveryPixelCorrectly) {
  const auto images = torch::tensor({-1.0f, 1.0f, 1.0f, -1.0f}).view({2, 1, 1, 2});  // black-white, white-black
  const GridLayout layout{.rows = 1, .columns = 2, .scale = 2, .gap = 1, .background = 7};
  const cv::Mat grid = tile_grid(to_mats(images), layout);
  ASSERT_EQ(grid.size(), cv::Size(11, 4));
  const std::vector<int> pixels = {7, 0, 0, 255, 255, 7, 255, 255, 0, 0, 7};
  for (int x = 0; x < 11; ++x) {
    EXPECT_EQ(grid.at<uchar>(0, x), 7);
    EXPECT_EQ(grid.at<uchar>(1, x), pixels[static_cast<std::size_t>(x)]);
    EXPECT_EQ(grid.at<uchar>(2, x), pixels[static_cast<std::size_t>(x)]);
    EXPECT_EQ(grid.at<uchar>(3, x), 7);
  }
}

TEST(TileGrid, FillsMissingTilesWithTheBackground) {
  const GridLayout layout{.rows = 2, .columns = 2, .scale = 1, .gap = 0, .background = 200};
  const cv::Mat grid = tile_grid(to_mats(torch::full({3, 1, 4, 4}, -1.0f)), layout);
  EXPECT_EQ(cv::countNonZero(grid), 16);
  EXPECT_EQ(grid.at<uchar>(7, 7), 200);
}

TEST(TileGrid, ScalesTilesToAtLeast64PixelsByDefault) {
  EXPECT_EQ(grid_scale({}, 1), 64);
  EXPECT_EQ(grid_scale({}, 28), 3);
  EXPECT_EQ(grid_scale({}, 32), 2);
  EXPECT_EQ(grid_scale({}, 64), 1);
  EXPECT_EQ(grid_scale({}, 256), 1);
  EXPECT_EQ(grid_scale({.scale = 5}, 256), 5);
}

TEST(TileGrid, RejectsUnsuitableImagesAndLayouts) {
  const cv::Mat tile(4, 4, CV_8UC1, cv::Scalar(0));
  EXPECT_THROW(tile_grid({}, {}), std::invalid_argument);
  EXPECT_THROW(tile_grid({5, tile}, {.rows = 2, .columns = 2}), std::invalid_argument);
  EXPECT_THROW(tile_grid({tile, cv::Mat(5, 4, CV_8UC1)}, {}), std::invalid_argument);
  EXPECT_THROW(tile_grid({tile, cv::Mat(4, 4, CV_8UC3)}, {}), std::invalid_argument);
  EXPECT_THROW(tile_grid({tile}, {.rows = 0}), std::invalid_argument);
  EXPECT_THROW(tile_grid({tile}, {.gap = -1}), std::invalid_argument);
  EXPECT_THROW(tile_grid({tile}, {.background = 256}), std::invalid_argument);
}

TEST(TileAt, ReturnsEveryTileOfAWrittenGridExactly) {
  const TemporaryDirectory directory;
  for (const std::int64_t channels : {1, 3}) {
    for (const int scale : {0, 1, 3}) {
      const GridLayout layout{.rows = 2, .columns = 3, .scale = scale, .gap = 5};
      const auto images = noise({6, channels, 6, 9});
      write_png(directory / "grid.png", tile_grid(to_mats(images), layout));
      const cv::Mat grid = read_image(directory / "grid.png");
      for (int i = 0; i < 6; ++i) EXPECT_TRUE(same(tile_at(grid, layout, 9, i / 3, i % 3), to_mat(images[i])));
    }
  }
}

TEST(TileAt, ReturnsTheTilesOfALargeGridExactly) {
  const TemporaryDirectory directory;
  const GridLayout layout{.rows = 24, .columns = 32};  // 13 megapixels: read_image would reduce it
  std::vector<cv::Mat> tiles(24 * 32, cv::Mat(128, 128, CV_8UC1, cv::Scalar(40)));
  tiles.back() = to_mat(noise({1, 128, 128}));
  write_png(directory / "grid.png", tile_grid(tiles, layout));
  const cv::Mat grid = read_grid(directory / "grid.png");
  EXPECT_TRUE(is_grid(grid, layout, 128));
  EXPECT_TRUE(same(tile_at(grid, layout, 128, 23, 31), tiles.back()));
}

TEST(TileAt, RejectsGridsAndPositionsOutsideTheLayout) {
  const GridLayout layout{.rows = 2, .columns = 3};
  const cv::Mat grid = tile_grid(to_mats(noise({6, 1, 32, 32})), layout);
  EXPECT_NO_THROW(tile_at(grid, layout, 32, 1, 2));
  EXPECT_THROW(tile_at(grid, layout, 28, 0, 0), std::invalid_argument);
  EXPECT_THROW(tile_at(grid, {.rows = 2, .columns = 4}, 32, 0, 0), std::invalid_argument);
  EXPECT_THROW(tile_at(grid, {.rows = 3, .columns = 3}, 32, 0, 0), std::invalid_argument);
  EXPECT_THROW(tile_at(grid, layout, 32, 2, 0), std::invalid_argument);
  EXPECT_THROW(tile_at(grid, layout, 32, 0, -1), std::invalid_argument);
  EXPECT_THROW(tile_at(grid, layout, 0, 0, 0), std::invalid_argument);
}

TEST(UpscaleInto, IsExactForEveryFactor) {
  const cv::Mat image = to_mat(noise({3, 3, 4}));
  for (int factor = 1; factor <= 64; ++factor) {
    cv::Mat large(3 * factor, 4 * factor, CV_8UC3);
    upscale_into(image, factor, large);
    for (int y = 0; y < large.rows; ++y) {
      for (int x = 0; x < large.cols; ++x) {
        ASSERT_EQ(large.at<cv::Vec3b>(y, x), image.at<cv::Vec3b>(y / factor, x / factor)) << factor;
      }
    }
    EXPECT_TRUE(same(downscale(large, factor), image));
  }
}

TEST(UpscaleForDisplay, ReturnsAnImageAtLeast64PixelsWide) {
  for (const int size : {1, 16, 28, 32, 64, 128}) {
    const cv::Mat image = to_mat(noise({1, size, size}));
    const cv::Mat large = upscale_for_display(image);
    EXPECT_GE(large.cols, 64);
    EXPECT_TRUE(same(downscale(large, large.cols / size), image));
  }
}

}  // namespace
}  // namespace slopegan
