#pragma once

#include <opencv2/core.hpp>
#include <torch/types.h>

#include "images/grid_layout.h"

namespace slopegan {

/// `images` [N, C, H, W] in [-1, 1] row by row: gray for C = 1, BGR for C = 3. Fewer images than tiles leave
/// background. Throws std::invalid_argument where there are more images than tiles or the layout is out of range.
cv::Mat tile_grid(const torch::Tensor& images, const GridLayout& layout);

}  // namespace slopegan
