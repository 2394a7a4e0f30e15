#include "images/grid.h"

#include <stdexcept>

#include "images/convert.h"
#include "images/scale.h"

namespace slopegan {

namespace {

void check(bool condition, const char* message) {
  if (!condition) throw std::invalid_argument(message);
}

void check_layout(const GridLayout& layout) {
  check(layout.rows >= 1 && layout.columns >= 1, "GridLayout: rows and columns must be positive");
  check(layout.scale >= 0 && layout.gap >= 0, "GridLayout: scale and gap must not be negative");
  check(layout.background >= 0 && layout.background <= 255, "GridLayout: background must lie in [0, 255]");
}

/// Where a tile of the given (upscaled) size lies.
cv::Rect tile_rect(const GridLayout& layout, cv::Size tile, int row, int column) {
  return {layout.gap + column * (tile.width + layout.gap), layout.gap + row * (tile.height + layout.gap), tile.width,
          tile.height};
}

cv::Size grid_size(const GridLayout& layout, cv::Size tile) {
  return {layout.gap + layout.columns * (tile.width + layout.gap),
          layout.gap + layout.rows * (tile.height + layout.gap)};
}

}  // namespace

int grid_scale(const GridLayout& layout, int tile_width) {
  check(tile_width >= 1, "GridLayout: tiles must have a width");
  return layout.scale > 0 ? layout.scale : scale_to_view(tile_width);
}

cv::Mat tile_grid(const torch::Tensor& images, const GridLayout& layout) {
  check_layout(layout);
  const auto mats = to_mats(images);
  check(mats.size() <= static_cast<std::size_t>(layout.rows) * static_cast<std::size_t>(layout.columns),
        "tile_grid: there are more images than tiles");
  const int height = static_cast<int>(images.size(2)), width = static_cast<int>(images.size(3));
  const int scale = grid_scale(layout, width);
  const cv::Size tile(width * scale, height * scale);
  cv::Mat grid(grid_size(layout, tile), images.size(1) == 3 ? CV_8UC3 : CV_8UC1, cv::Scalar::all(layout.background));
  for (int i = 0; i < static_cast<int>(mats.size()); ++i) {
    const auto place = tile_rect(layout, tile, i / layout.columns, i % layout.columns);
    upscale_into(mats[static_cast<std::size_t>(i)], scale, grid(place));
  }
  return grid;
}

bool is_grid(const cv::Mat& grid, const GridLayout& layout, int tile_width) {
  const int side = tile_width * grid_scale(layout, tile_width);
  return grid_size(layout, {side, side}) == grid.size();
}

cv::Mat tile_at(const cv::Mat& grid, const GridLayout& layout, int tile_width, int row, int column) {
  check_layout(layout);
  check(row >= 0 && row < layout.rows && column >= 0 && column < layout.columns, "tile_at: there is no such tile");
  const int scale = grid_scale(layout, tile_width);
  const int tile_height = ((grid.rows - layout.gap) / layout.rows - layout.gap) / scale;
  const cv::Size tile(tile_width * scale, tile_height * scale);
  check(tile_height >= 1 && grid_size(layout, tile) == grid.size(), "tile_at: the grid has another size");
  return downscale(grid(tile_rect(layout, tile, row, column)), scale);
}

}  // namespace slopegan
