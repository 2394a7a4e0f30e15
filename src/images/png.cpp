#include "images/png.h"

#include <cstdint>
#include <stdexcept>
#include <vector>

#include <opencv2/imgcodecs.hpp>

namespace slopegan {

std::string encode_png(const cv::Mat& image) {
  if (image.empty() || (image.type() != CV_8UC1 && image.type() != CV_8UC3)) {
    throw std::invalid_argument("encode_png: an 8-bit gray or BGR image is expected");
  }
  std::vector<std::uint8_t> bytes;
  if (!cv::imencode(".png", image, bytes)) throw std::runtime_error("encode_png: OpenCV cannot encode the image");
  return {bytes.begin(), bytes.end()};
}

void write_png(const std::filesystem::path& file, const cv::Mat& image, Sync sync) {
  write_file_atomic(file, encode_png(image), sync);
}

}  // namespace slopegan
