#include "images/convert.h"

#include <cstdint>
#include <limits>
#include <stdexcept>

#include <opencv2/imgproc.hpp>

namespace slopegan {

torch::Tensor to_bytes(const torch::Tensor& images) {
  if (!images.is_floating_point()) throw std::invalid_argument("expected images of a floating-point dtype");
  if (images.dim() != 4 || (images.size(1) != 1 && images.size(1) != 3) || images.size(2) < 1 || images.size(3) < 1) {
    throw std::invalid_argument("expected images of shape [N, 1 or 3, H, W]");
  }
  constexpr double infinity = std::numeric_limits<double>::infinity();
  // Replace NaN first: its conversion to uint8 is undefined.
  const auto values = images.detach().to(torch::kCPU, torch::kFloat32).nan_to_num(-1.0, infinity, -infinity);
  const auto bytes = values.clamp(-1, 1).add(1).mul(127.5).round().to(torch::kByte);
  return bytes.permute({0, 2, 3, 1}).contiguous();
}

std::vector<cv::Mat> to_mats(const torch::Tensor& images) {
  const auto bytes = to_bytes(images);
  const int height = static_cast<int>(bytes.size(1)), width = static_cast<int>(bytes.size(2));
  const int channels = static_cast<int>(bytes.size(3));
  std::vector<cv::Mat> mats;
  for (std::int64_t i = 0; i < bytes.size(0); ++i) {
    const auto one = bytes.select(0, i);
    const cv::Mat rgb(height, width, CV_8UC(channels), one.mutable_data_ptr<std::uint8_t>());
    mats.emplace_back();
    if (channels == 3) {
      cv::cvtColor(rgb, mats.back(), cv::COLOR_RGB2BGR);
    } else {
      rgb.copyTo(mats.back());
    }
  }
  return mats;
}

cv::Mat to_mat(const torch::Tensor& image) {
  if (image.dim() != 3) throw std::invalid_argument("to_mat: expected an image of shape [C, H, W]");
  return to_mats(image.unsqueeze(0)).front();
}

}  // namespace slopegan
