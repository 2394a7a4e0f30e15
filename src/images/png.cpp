#include "images/png.h"

#include <cstdint>
#include <stdexcept>
#include <vector>

#include <opencv2/imgcodecs.hpp>

namespace slopegan {

void write_png(const std::filesystem::path& file, const cv::Mat& image, Sync sync) {
  if (image.empty() || (image.type() != CV_8UC1 && image.type() != CV_8UC3)) {
    throw std::invalid_argument("write_png: an 8-bit gray or BGR image is expected");
  }
  std::vector<std::uint8_t> bytes;
  if (!cv::imencode(".png", image, bytes)) throw std::runtime_error("write_png: OpenCV cannot encode the image");
  write_file_atomic(file, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, sync);
}

}  // namespace slopegan
