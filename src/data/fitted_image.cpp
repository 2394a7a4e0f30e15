#include "data/fitted_image.h"

#include <algorithm>
#include <vector>

#include "data/transform.h"

namespace slopegan {

/// Gray, or red, green and blue one after the other: the order of Dataset::images.
static std::vector<std::uint8_t> planes_of(const cv::Mat& image) {
  std::vector<std::uint8_t> planes(image.total() * static_cast<std::size_t>(image.channels()));
  std::vector<cv::Mat> views;
  for (int c = 0; c < image.channels(); ++c) {
    views.emplace_back(image.rows, image.cols, CV_8UC1, planes.data() + static_cast<std::size_t>(c) * image.total());
  }
  std::reverse(views.begin(), views.end());  // OpenCV has blue first
  cv::split(image, views.data());
  return planes;
}

torch::Tensor fitted_image(const cv::Mat& image, std::int64_t resolution) {
  ImageTransform transform(image.channels(), image.rows, image.cols, resolution);
  const auto planes = planes_of(image);
  auto out = torch::empty({resolution, resolution, image.channels()});
  transform(planes, false, {out.mutable_data_ptr<float>(), static_cast<std::size_t>(out.numel())});
  return out.permute({2, 0, 1}).add(1).mul_(127.5).round_().to(torch::kByte).contiguous();
}

}  // namespace slopegan
