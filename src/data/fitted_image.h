#pragma once

#include <cstdint>

#include <opencv2/core.hpp>
#include <torch/types.h>

namespace slopegan {

/// `image` (CV_8UC1 or CV_8UC3, BGR) brought to resolution × resolution as training does it (see fit_image), as bytes:
/// uint8 [C, resolution, resolution], RGB.
torch::Tensor fitted_image(const cv::Mat& image, std::int64_t resolution);

}  // namespace slopegan
