#pragma once

#include <vector>

#include <opencv2/core.hpp>
#include <torch/types.h>

/// Conversion of tensors in [-1, 1] to 8-bit OpenCV images: gray for one channel, BGR for three.
namespace slopegan {

/// Converts floating-point images [N, C, H, W] to contiguous uint8 [N, H, W, C] on the CPU, in RGB order. Values are
/// converted in the same way as in to_mat.
torch::Tensor to_bytes(const torch::Tensor& images);

/// Converts one image [C, H, W] of any floating-point dtype, on any device; C is 1 or 3. Values are clamped to [-1, 1]
/// and rounded to the nearest byte; NaN becomes black. Throws std::invalid_argument for other shapes or dtypes.
cv::Mat to_mat(const torch::Tensor& image);

/// Converts each image of a batch [N, C, H, W] like to_mat.
std::vector<cv::Mat> to_mats(const torch::Tensor& images);

}  // namespace slopegan
