#pragma once

#include <vector>

#include <opencv2/core.hpp>
#include <torch/types.h>

/// Between tensors in [-1, 1] and 8-bit OpenCV images: gray for one channel, BGR for three.
namespace slopegan {

/// uint8 [N, H, W, C], contiguous, on the CPU, RGB: of [N, C, H, W] as to_mat describes it.
torch::Tensor to_bytes(const torch::Tensor& images);

/// `image`: [C, H, W] of any floating type, on any device, C is 1 or 3. Values are clamped to [-1, 1] and rounded to
/// the nearest byte; NaN becomes black. Throws std::invalid_argument where the shape or the type is another.
cv::Mat to_mat(const torch::Tensor& image);

/// The same for every image of [N, C, H, W].
std::vector<cv::Mat> to_mats(const torch::Tensor& images);

/// CV_8UC1 or CV_8UC3 (BGR) to float32 [C, H, W] (RGB), byte / 127.5 − 1: to_mat gives the same bytes back. Throws
/// std::invalid_argument for other types and for an empty image.
torch::Tensor to_tensor(const cv::Mat& image);

}  // namespace slopegan
