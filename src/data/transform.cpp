#include "data/transform.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>
#include <vector>

#include <opencv2/imgproc.hpp>

#include "config/enums.h"
#include "support/random.h"
#include "support/text.h"

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

ImageFit chosen_fit(const DataConfig& data) {
  const bool has_files = consists_of_image_files(data.kind);
  if (has_files && data.as_in_0_9) return ImageFit::pad;
  if (data.fit != ImageFit::automatic) return data.fit;
  return has_files ? ImageFit::crop : ImageFit::pad;
}

std::optional<cv::Vec3b> background_colour(const std::string& background) {
  if (background == "none") return std::nullopt;
  if (background == "white") return cv::Vec3b(255, 255, 255);
  if (background == "black") return cv::Vec3b(0, 0, 0);
  unsigned rgb = 0;
  std::from_chars(background.data() + 1, background.data() + background.size(), rgb, 16);
  return cv::Vec3b(static_cast<std::uint8_t>(rgb), static_cast<std::uint8_t>(rgb >> 8),
                   static_cast<std::uint8_t>(rgb >> 16));
}

Fit fit_image(std::int64_t height, std::int64_t width, std::int64_t resolution, ImageFit how) {
  const int h = static_cast<int>(height), w = static_cast<int>(width), r = static_cast<int>(resolution);
  const auto is_smaller = [&](const cv::Rect& part) {  // whether the part can be padded without resizing
    return how == ImageFit::pad && fits_by_padding(part.width, r) && fits_by_padding(part.height, r);
  };
  const cv::Rect whole(0, 0, w, h);
  Fit fit;
  switch (how) {
    case ImageFit::stretch:
      fit.crop = whole;
      break;
    case ImageFit::crop:
    case ImageFit::pad:
      fit.crop = is_smaller(whole) ? whole : central_square(h, w);
      break;
    case ImageFit::automatic:
      throw std::invalid_argument("fit_image: auto must be resolved by chosen_fit");
  }
  fit.resize = !is_smaller(fit.crop) && fit.crop.size() != cv::Size(r, r);
  if (!fit.resize) fit.offset = {(r - fit.crop.width) / 2, (r - fit.crop.height) / 2};
  return fit;
}

std::string fit_text(std::int64_t height, std::int64_t width, std::int64_t resolution, ImageFit how) {
  const Fit fit = fit_image(height, width, resolution, how);
  std::vector<std::string> steps;
  if (fit.is_cropped(height, width)) {
    const double cut = 1.0 - static_cast<double>(fit.crop.area()) / static_cast<double>(height * width);
    steps.push_back(format_text("cropped to their central {} x {} ({:.0f} % of the area is cut)", fit.crop.height,
                                fit.crop.width, 100 * cut));
  }
  if (fit.is_padded(resolution)) steps.push_back("padded with black");
  if (fit.resize && fit.crop.height != fit.crop.width) {
    steps.push_back("stretched");
  } else if (fit.resize) {
    steps.push_back(fit.is_enlarged(resolution) ? "enlarged" : "reduced");
  }
  if (steps.empty()) return "";
  return format_text("images of {} x {} are {} to {} x {} (data.fit: {})", height, width, join(steps, " and "),
                     resolution, resolution, name_of(how));
}

ImageTransform::ImageTransform(std::int64_t channels, std::int64_t height, std::int64_t width, std::int64_t resolution,
                               ImageFit how)
    : channels_(channels), height_(height), width_(width), resolution_(resolution) {
  if (channels != 1 && channels != 3) throw std::invalid_argument("ImageTransform: images must have 1 or 3 channels");
  if (height < 1 || width < 1 || resolution < 1) throw std::invalid_argument("ImageTransform: sizes must be positive");
  fit_ = fit_image(height, width, resolution, how);
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

/// Reduces by averaging areas and enlarges by interpolation. OpenCV can do only one of these at a time, but a stretched
/// image may need both.
void ImageTransform::resize_into(cv::Mat& result) {
  const int side = result.rows;
  const cv::Size reduced(std::min(scratch_.cols, side), std::min(scratch_.rows, side));
  const bool reduces = reduced != scratch_.size(), enlarges = reduced != result.size();
  if (reduces && enlarges) cv::resize(scratch_, halfway_, reduced, 0, 0, cv::INTER_AREA);
  cv::resize(reduces && enlarges ? halfway_ : scratch_, result, result.size(), 0, 0,
             enlarges ? cv::INTER_LINEAR : cv::INTER_AREA);
}

void ImageTransform::operator()(std::span<const std::uint8_t> image, bool flip, std::span<float> out) {
  if (std::ssize(image) != input_size() || std::ssize(out) != output_size()) {
    throw std::invalid_argument("ImageTransform: the size of a buffer does not match the images");
  }
  const int side = static_cast<int>(resolution_);
  cv::Mat result(side, side, CV_32FC(static_cast<int>(channels_)), out.data());
  if (fit_.resize) {
    scale_into(image, scratch_, {0, 0});
    resize_into(result);
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
  ImageTransform transform(dataset.channels(), dataset.height(), dataset.width(), resolution, dataset.fit);
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

torch::Tensor fit_to_resolution(const cv::Mat& image, std::int64_t resolution, ImageFit how) {
  ImageTransform transform(image.channels(), image.rows, image.cols, resolution, how);
  const auto planes = planes_of(image);
  auto out = torch::empty({resolution, resolution, image.channels()});
  transform(planes, false, {out.mutable_data_ptr<float>(), static_cast<std::size_t>(out.numel())});
  return out.permute({2, 0, 1}).add(1).mul_(127.5).round_().to(torch::kByte).contiguous();
}

}  // namespace slopegan
