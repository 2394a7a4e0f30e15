#pragma once

#include <vector>

#include <opencv2/core.hpp>

#include "config/config.h"

/// Grids of equally sized tiles, such as samples/<images>.png, and exact nearest-neighbour scaling. This file does not
/// depend on LibTorch.
namespace slopegan {

/// The smallest integer factor that scales `size` pixels to at least 64.
int display_scale(int size);

/// Scales `image` by an integer factor into the top left corner of `target`, which must have the same type and be large
/// enough. The result is exact, unlike that of cv::resize, which multiplies by a rounded 1 / factor and picks wrong
/// pixels for some factors, for example 49.
void upscale_into(const cv::Mat& image, int factor, cv::Mat target);

/// Scales `image` by the display_scale of its width.
cv::Mat upscale_for_display(const cv::Mat& image);

/// The inverse of upscale_into: keeps the top left pixel of each factor × factor square. Both sides of `image` must be
/// multiples of `factor`.
cv::Mat downscale(const cv::Mat& image, int factor);

struct GridLayout {
  int rows = 8;
  int columns = 8;
  int scale = 0;         ///< integer upscaling factor for the tiles; 0: display_scale of the tile width
  int gap = 4;           ///< pixels between tiles and around the grid
  int background = 255;  ///< gray value of gaps and missing tiles
};

/// The layout of samples/<images>.png and reals.png.
GridLayout samples_layout(const SamplesConfig& samples);

/// The scaling factor of `layout` for tiles of width `tile_width`.
int grid_scale(const GridLayout& layout, int tile_width);

/// Arranges equally sized images in row-major order. Tiles without an image are filled with the background. Throws
/// std::invalid_argument if there are no images or more images than tiles, if sizes or types differ, or if the layout
/// is out of range.
cv::Mat tile_grid(const std::vector<cv::Mat>& images, const GridLayout& layout);

/// Whether `grid` has the size of a grid with this layout and square tiles of width `tile_width`.
bool is_grid(const cv::Mat& grid, const GridLayout& layout, int tile_width);

/// Returns the tile at (row, column) at its original size: the exact image passed to tile_grid. Throws
/// std::invalid_argument if `row` or `column` is out of range, or if the size of the grid does not match the layout and
/// the tile width.
cv::Mat tile_at(const cv::Mat& grid, const GridLayout& layout, int tile_width, int row, int column);

}  // namespace slopegan
