#include "data/transform.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <vector>

#include <opencv2/imgproc.hpp>

#include "support/random.h"

namespace slopegan {

namespace {

const std::array<float, 256>& scaled_bytes() {
  static const auto table = [] {
    std::array<float, 256> values{};
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / 127.5f - 1.0f;
    return values;
  }();
  return table;
}

bool fits_by_padding(int side, int resolution) { return side <= resolution && 4 * side >= 3 * resolution; }

cv::Rect central_square(int height, int width) {
  const int side = std::min(height, width);
  return {(width - side) / 2, (height - side) / 2, side, side};
}

/// The planes of an image in the order of Dataset::images: gray, or red, green and blue.
std::vector<std::uint8_t> planes_of(const cv::Mat& image) {
  std::vector<std::uint8_t> planes(image.total() * static_cast<std::size_t>(image.channels()));
  std::vector<cv::Mat> views;
  for (int c = 0; c < image.channels(); ++c) {
    views.emplace_back(image.rows, image.cols, CV_8UC1, planes.data() + static_cast<std::size_t>(c) * image.total());
  }
  std::reverse(views.begin(), views.end());  // OpenCV stores BGR
  cv::split(image, views.data());
  return planes;
}

}  // namespace

Fit fit_image(std::int64_t height, std::int64_t width, std::int64_t resolution) {
  const int h = static_cast<int>(height), w = static_cast<int>(width), r = static_cast<int>(resolution);
  Fit fit;
  fit.crop = fits_by_padding(h, r) && fits_by_padding(w, r) ? cv::Rect(0, 0, w, h) : central_square(h, w);
  fit.resize = !fits_by_padding(fit.crop.width, r) || !fits_by_padding(fit.crop.height, r);
  if (!fit.resize) fit.offset = {(r - fit.crop.width) / 2, (r - fit.crop.height) / 2};
  return fit;
}

ImageTransform::ImageTransform(std::int64_t channels, std::int64_t height, std::int64_t width, std::int64_t resolution)
    : channels_(channels), height_(height), width_(width), resolution_(resolution) {
  if (channels != 1 && channels != 3) throw std::invalid_argument("ImageTransform: images must have 1 or 3 channels");
  if (height < 1 || width < 1 || resolution < 1) throw std::invalid_argument("ImageTransform: sizes must be positive");
  fit_ = fit_image(height, width, resolution);
  if (fit_.resize) scratch_.create(fit_.crop.size(), CV_32FC(static_cast<int>(channels)));
}

void ImageTransform::scale_into(std::span<const std::uint8_t> image, cv::Mat& out, cv::Point offset) const {
  const auto& scaled = scaled_bytes();
  const std::int64_t plane = height_ * width_;
  for (int y = 0; y < fit_.crop.height; ++y) {
    const std::uint8_t* row = image.data() + (fit_.crop.y + y) * width_ + fit_.crop.x;
    float* target = out.ptr<float>(offset.y + y) + offset.x * channels_;
    for (int x = 0; x < fit_.crop.width; ++x) {
      for (std::int64_t c = 0; c < channels_; ++c) *target++ = scaled[row[c * plane + x]];
    }
  }
}

void ImageTransform::operator()(std::span<const std::uint8_t> image, bool flip, std::span<float> out) {
  if (std::ssize(image) != input_size() || std::ssize(out) != output_size()) {
    throw std::invalid_argument("ImageTransform: the size of a buffer does not match the images");
  }
  const int side = static_cast<int>(resolution_);
  cv::Mat result(side, side, CV_32FC(static_cast<int>(channels_)), out.data());
  if (fit_.resize) {
    scale_into(image, scratch_, {0, 0});
    const int method = fit_.crop.width > side ? cv::INTER_AREA : cv::INTER_LINEAR;
    cv::resize(scratch_, result, result.size(), 0, 0, method);
    for (auto& value : out)
      value = std::clamp(value, -1.0f, 1.0f);  // interpolation weights may sum to slightly more than 1
  } else {
    std::fill(out.begin(), out.end(), -1.0f);
    scale_into(image, result, fit_.offset);
  }
  if (flip) cv::flip(result, result, 1);
}

bool is_flipped(std::uint64_t seed, std::int64_t position) {
  return (RandomStream(seed, "data.flip", static_cast<std::uint64_t>(position)).next() & 1) != 0;
}

torch::Tensor prepare_images(const Dataset& dataset, std::span<const std::int64_t> indices, std::int64_t resolution) {
  ImageTransform transform(dataset.channels(), dataset.height(), dataset.width(), resolution);
  const auto in = static_cast<std::size_t>(transform.input_size());
  const auto out = static_cast<std::size_t>(transform.output_size());
  auto images = torch::empty({std::ssize(indices), dataset.channels(), resolution, resolution},
                             torch::TensorOptions(torch::kFloat32).memory_format(torch::MemoryFormat::ChannelsLast));
  const std::uint8_t* stored = dataset.images.const_data_ptr<std::uint8_t>();
  float* target = images.mutable_data_ptr<float>();
  for (const auto index : indices) {
    if (index < 0 || index >= dataset.size()) throw std::out_of_range("prepare_images: index out of range");
    transform({stored + static_cast<std::size_t>(index) * in, in}, false, {target, out});
    target += out;
  }
  return images;
}

torch::Tensor fit_to_resolution(const cv::Mat& image, std::int64_t resolution) {
  ImageTransform transform(image.channels(), image.rows, image.cols, resolution);
  const auto planes = planes_of(image);
  auto out = torch::empty({resolution, resolution, image.channels()});
  transform(planes, false, {out.mutable_data_ptr<float>(), static_cast<std::size_t>(out.numel())});
  return out.permute({2, 0, 1}).add(1).mul_(127.5).round_().to(torch::kByte).contiguous();
}

}  // namespace slopegan
