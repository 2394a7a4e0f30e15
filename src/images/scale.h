#pragma once

#include <opencv2/core.hpp>

/// Nearest-neighbour scaling by whole factors, exact both ways. (cv::resize picks a wrong pixel for some factors, such
/// as 49, because it multiplies by a rounded 1 / factor.)
namespace slopegan {

/// Writes `image` with every pixel as a square of factor × factor into the top left corner of `target`, which has the
/// same type and is large enough.
void upscale_into(const cv::Mat& image, int factor, cv::Mat target);

/// The top left pixel of every square of factor × factor; both sides of `image` are multiples of the factor.
cv::Mat downscale(const cv::Mat& image, int factor);

/// `image` large enough to be seen: by scale_to_view of its width.
cv::Mat enlarged(const cv::Mat& image);

/// The smallest factor with which `size` pixels become at least 64.
int scale_to_view(int size);

}  // namespace slopegan
