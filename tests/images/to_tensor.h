#pragma once

#include <stdexcept>

#include <opencv2/imgproc.hpp>
#include <torch/types.h>

namespace slopegan {

/// Converts a CV_8UC1 or CV_8UC3 (BGR) image to float32 [C, H, W] (RGB): byte / 127.5 − 1. to_mat is the exact inverse.
/// Throws std::invalid_argument for other types and for empty images.
inline torch::Tensor to_tensor(const cv::Mat& image) {
  if (image.empty() || (image.type() != CV_8UC1 && image.type() != CV_8UC3)) {
    throw std::invalid_argument("to_tensor: expected an 8-bit gray or BGR image");
  }
  cv::Mat rgb = image.clone();  // contiguous, even if `image` is a region of a larger one
  if (rgb.channels() == 3) cv::cvtColor(image, rgb, cv::COLOR_BGR2RGB);
  const auto bytes = torch::from_blob(rgb.data, {rgb.rows, rgb.cols, rgb.channels()}, torch::kByte);
  return bytes.permute({2, 0, 1}).to(torch::kFloat32).contiguous().div_(127.5).sub_(1);
}

}  // namespace slopegan
