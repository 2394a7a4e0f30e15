#include "images/png.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include <opencv2/imgcodecs.hpp>

#include "support/errors.h"
#include "support/files.h"
#include "support/text.h"

namespace slopegan {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& file, const std::string& reason) {
  throw IoError("the image " + printable(file.string()) + " cannot be read: " + reason);
}

}  // namespace

void write_png(const fs::path& file, const cv::Mat& image) {
  if (image.empty() || (image.type() != CV_8UC1 && image.type() != CV_8UC3)) {
    throw std::invalid_argument("write_png: an 8-bit gray or BGR image is expected");
  }
  std::vector<std::uint8_t> bytes;
  if (!cv::imencode(".png", image, bytes)) throw std::runtime_error("write_png: OpenCV cannot encode the image");
  write_file_atomic(file, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

cv::Mat read_image(const fs::path& file) {
  std::error_code error;
  if (fs::is_directory(file, error)) refuse(file, "it is a directory");
  errno = 0;
  std::ifstream input(file, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(input), std::istreambuf_iterator<char>()};
  if (!input) refuse(file, std::strerror(errno));
  cv::Mat image;
  try {
    if (!bytes.empty()) image = cv::imdecode(bytes, cv::IMREAD_ANYCOLOR);
  } catch (const cv::Exception&) {  // what it says names OpenCV's sources, not the file
  }
  if (image.empty()) throw DataError(printable(file.string()) + " is no image that can be read, or is damaged");
  return image;
}

}  // namespace slopegan
