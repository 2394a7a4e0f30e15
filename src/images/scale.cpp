#include "images/scale.h"

#include <algorithm>
#include <cstring>

namespace slopegan {

void upscale_into(const cv::Mat& image, int factor, cv::Mat target) {
  CV_Assert(factor >= 1 && image.type() == target.type());
  CV_Assert(image.rows * factor <= target.rows && image.cols * factor <= target.cols);
  const std::size_t size = image.elemSize();
  for (int y = 0; y < image.rows * factor; ++y) {
    const uchar* from = image.ptr(y / factor);
    uchar* to = target.ptr(y);
    for (int x = 0; x < image.cols * factor; ++x, to += size) {
      std::memcpy(to, from + static_cast<std::size_t>(x / factor) * size, size);
    }
  }
}

cv::Mat downscale(const cv::Mat& image, int factor) {
  CV_Assert(factor >= 1 && image.rows % factor == 0 && image.cols % factor == 0);
  cv::Mat small(image.rows / factor, image.cols / factor, image.type());
  const std::size_t size = image.elemSize();
  for (int y = 0; y < small.rows; ++y) {
    for (int x = 0; x < small.cols; ++x) std::memcpy(small.ptr(y, x), image.ptr(y * factor, x * factor), size);
  }
  return small;
}

cv::Mat enlarged(const cv::Mat& image) {
  const int factor = scale_to_view(image.cols);
  cv::Mat large(image.size() * factor, image.type());
  upscale_into(image, factor, large);
  return large;
}

int scale_to_view(int size) {
  constexpr int smallest = 64;
  return std::max(1, (smallest + size - 1) / std::max(size, 1));
}

}  // namespace slopegan
