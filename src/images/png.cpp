#include "images/png.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

#include <opencv2/imgcodecs.hpp>

#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& file, const std::string& what, const std::string& reason) {
  throw IoError("the image " + printable(file.string()) + " cannot be " + what + ": " + reason);
}

bool write_bytes(const fs::path& file, const std::vector<std::uint8_t>& bytes) {
  std::ofstream output(file, std::ios::binary | std::ios::trunc);
  output.write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes));
  output.close();
  return output.good();
}

}  // namespace

void write_png(const fs::path& file, const cv::Mat& image) {
  if (image.empty() || (image.type() != CV_8UC1 && image.type() != CV_8UC3)) {
    throw std::invalid_argument("write_png: an 8-bit gray or BGR image is expected");
  }
  std::vector<std::uint8_t> bytes;
  if (!cv::imencode(".png", image, bytes)) throw std::runtime_error("write_png: OpenCV cannot encode the image");
  fs::path temporary = file;
  temporary += ".tmp" + std::to_string(::getpid());
  errno = 0;
  std::error_code error;
  if (!write_bytes(temporary, bytes)) {
    const std::string reason = std::strerror(errno);
    fs::remove(temporary, error);
    fail(file, "written", reason);
  }
  fs::rename(temporary, file, error);
  if (error) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    fail(file, "written", error.message());
  }
}

cv::Mat read_image(const fs::path& file) {
  std::error_code error;
  if (fs::is_directory(file, error)) fail(file, "read", "it is a directory");
  errno = 0;
  std::ifstream input(file, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(input), std::istreambuf_iterator<char>()};
  if (!input) fail(file, "read", std::strerror(errno));
  cv::Mat image;
  try {
    if (!bytes.empty()) image = cv::imdecode(bytes, cv::IMREAD_ANYCOLOR);
  } catch (const cv::Exception&) {  // what it says names OpenCV's sources, not the file
  }
  if (image.empty()) throw DataError(printable(file.string()) + " is no image that can be read, or is damaged");
  return image;
}

}  // namespace slopegan
