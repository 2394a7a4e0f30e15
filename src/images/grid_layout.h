#pragma once

#include <opencv2/core.hpp>

/// How tiles lie in a picture such as samples/<images>.png; without LibTorch, for whoever only reads them.
namespace slopegan {

struct GridLayout {
  int rows = 8;
  int columns = 8;
  int scale = 0;         ///< integer nearest-neighbour upscaling; 0: the smallest with which a tile is 64 pixels wide
  int gap = 4;           ///< pixels between the tiles and around all of them
  int background = 255;  ///< gray value of the gaps and of missing tiles
};

/// The factor that `layout` means for tiles of that width.
int grid_scale(const GridLayout& layout, int tile_width);

/// Whether `grid` has the size that tile_grid gives with that layout for square tiles of that width.
bool is_grid(const cv::Mat& grid, const GridLayout& layout, int tile_width);

/// The tile at (row, column) of a grid that tile_grid made with that layout, without the upscaling: to_mat of the image
/// that was put in. Throws std::invalid_argument where the grid's size does not fit the layout and the tile's width.
cv::Mat tile_at(const cv::Mat& grid, const GridLayout& layout, int tile_width, int row, int column);

}  // namespace slopegan
