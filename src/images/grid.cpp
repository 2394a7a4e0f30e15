#include "images/grid.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace slopegan {

namespace {

void check(bool condition, const char* message) {
  if (!condition) throw std::invalid_argument(message);
}

void check_layout(const GridLayout& layout) {
  check(layout.rows >= 1 && layout.columns >= 1, "GridLayout: rows and columns must be positive");
  check(layout.scale >= 0 && layout.gap >= 0, "GridLayout: scale and gap must not be negative");
  check(layout.background >= 0 && layout.background <= 255, "GridLayout: background must be in [0, 255]");
}

/// The area that a tile occupies; `tile` is its size after scaling.
cv::Rect tile_rect(const GridLayout& layout, cv::Size tile, int row, int column) {
  return {layout.gap + column * (tile.width + layout.gap), layout.gap + row * (tile.height + layout.gap), tile.width,
          tile.height};
}

cv::Size grid_size(const GridLayout& layout, cv::Size tile) {
  return {layout.gap + layout.columns * (tile.width + layout.gap),
          layout.gap + layout.rows * (tile.height + layout.gap)};
}

}  // namespace

int display_scale(int size) {
  constexpr int min_display_size = 64;
  return std::max(1, (min_display_size + size - 1) / std::max(size, 1));
}

void upscale_into(const cv::Mat& image, int factor, cv::Mat target) {
  CV_Assert(factor >= 1 && image.type() == target.type());
  CV_Assert(image.rows * factor <= target.rows && image.cols * factor <= target.cols);
  const std::size_t size = image.elemSize();
  for (int y = 0; y < image.rows * factor; ++y) {
    const uchar* from = image.ptr(y / factor);
    uchar* to = target.ptr(y);
    for (int x = 0; x < image.cols * factor; ++x, to += size) {
      std::memcpy(to, from + static_cast<std::size_t>(x / factor) * size, size);
    }
  }
}

cv::Mat upscale_for_display(const cv::Mat& image) {
  const int factor = display_scale(image.cols);
  cv::Mat large(image.size() * factor, image.type());
  upscale_into(image, factor, large);
  return large;
}

cv::Mat downscale(const cv::Mat& image, int factor) {
  CV_Assert(factor >= 1 && image.rows % factor == 0 && image.cols % factor == 0);
  cv::Mat small(image.rows / factor, image.cols / factor, image.type());
  const std::size_t size = image.elemSize();
  for (int y = 0; y < small.rows; ++y) {
    for (int x = 0; x < small.cols; ++x) std::memcpy(small.ptr(y, x), image.ptr(y * factor, x * factor), size);
  }
  return small;
}

GridLayout samples_layout(const SamplesConfig& samples) {
  GridLayout layout;
  layout.rows = static_cast<int>(samples.rows);
  layout.columns = static_cast<int>(samples.columns);
  return layout;
}

int grid_scale(const GridLayout& layout, int tile_width) {
  check(tile_width >= 1, "GridLayout: the tile width must be positive");
  return layout.scale > 0 ? layout.scale : display_scale(tile_width);
}

cv::Mat tile_grid(const std::vector<cv::Mat>& images, const GridLayout& layout) {
  check_layout(layout);
  check(!images.empty(), "tile_grid: expected at least one image");
  check(images.size() <= static_cast<std::size_t>(layout.rows) * static_cast<std::size_t>(layout.columns),
        "tile_grid: there are more images than tiles");
  const cv::Mat& first = images.front();
  const int scale = grid_scale(layout, first.cols);
  const cv::Size tile = first.size() * scale;
  cv::Mat grid(grid_size(layout, tile), first.type(), cv::Scalar::all(layout.background));
  for (int i = 0; i < static_cast<int>(images.size()); ++i) {
    const cv::Mat& image = images[static_cast<std::size_t>(i)];
    check(image.size() == first.size() && image.type() == first.type(),
          "tile_grid: all images must have the same size and type");
    upscale_into(image, scale, grid(tile_rect(layout, tile, i / layout.columns, i % layout.columns)));
  }
  return grid;
}

bool is_grid(const cv::Mat& grid, const GridLayout& layout, int tile_width) {
  const int side = tile_width * grid_scale(layout, tile_width);
  return grid_size(layout, {side, side}) == grid.size();
}

cv::Mat tile_at(const cv::Mat& grid, const GridLayout& layout, int tile_width, int row, int column) {
  check_layout(layout);
  check(row >= 0 && row < layout.rows && column >= 0 && column < layout.columns, "tile_at: row or column out of range");
  const int scale = grid_scale(layout, tile_width);
  const int tile_height = ((grid.rows - layout.gap) / layout.rows - layout.gap) / scale;
  const cv::Size tile(tile_width * scale, tile_height * scale);
  check(tile_height >= 1 && grid_size(layout, tile) == grid.size(),
        "tile_at: the size of the grid does not match the layout");
  return downscale(grid(tile_rect(layout, tile, row, column)), scale);
}

}  // namespace slopegan
