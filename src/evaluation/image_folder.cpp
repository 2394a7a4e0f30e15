#include "evaluation/image_folder.h"

#include <algorithm>
#include <vector>

#include <opencv2/imgproc.hpp>

#include "data/transform.h"
#include "images/read_image.h"
#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace fs = std::filesystem;

namespace {

bool has_image_ending(const fs::path& file) {
  std::string ending = file.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg";
}

std::vector<fs::path> image_files(const fs::path& directory) {
  std::vector<fs::path> files;
  std::error_code error;
  fs::recursive_directory_iterator entry(directory, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    if (has_image_ending(entry->path()) && entry->is_regular_file(ignored)) files.push_back(entry->path());
  }
  if (error) throw DataError("cannot list " + printable(directory.string()) + ": " + error.message());
  if (files.empty()) throw DataError(printable(directory.string()) + " holds no PNG or JPEG images");
  std::sort(files.begin(), files.end());
  return files;
}

/// Gray, or red, green and blue one after the other: the order of Dataset::images.
std::vector<std::uint8_t> planes_of(const cv::Mat& image) {
  std::vector<std::uint8_t> planes(image.total() * static_cast<std::size_t>(image.channels()));
  std::vector<cv::Mat> views;
  for (int c = 0; c < image.channels(); ++c) {
    views.emplace_back(image.rows, image.cols, CV_8UC1, planes.data() + static_cast<std::size_t>(c) * image.total());
  }
  std::reverse(views.begin(), views.end());  // OpenCV has blue first
  cv::split(image, views.data());
  return planes;
}

/// uint8 [C, R, R].
torch::Tensor fitted(const cv::Mat& image, std::int64_t resolution) {
  ImageTransform transform(image.channels(), image.rows, image.cols, resolution);
  const auto planes = planes_of(image);
  auto out = torch::empty({resolution, resolution, image.channels()});
  transform(planes, false, {out.mutable_data_ptr<float>(), static_cast<std::size_t>(out.numel())});
  return out.permute({2, 0, 1}).add(1).mul_(127.5).round_().to(torch::kByte);
}

cv::Mat with_channels(const cv::Mat& image, std::int64_t channels, const fs::path& file) {
  if (channels == 0 || image.channels() == channels) return image;
  cv::Mat converted;
  if (channels == 3) {
    cv::cvtColor(image, converted, cv::COLOR_GRAY2BGR);
    return converted;
  }
  std::vector<cv::Mat> planes;
  cv::split(image, planes);
  if (cv::norm(planes[0], planes[1], cv::NORM_INF) + cv::norm(planes[0], planes[2], cv::NORM_INF) > 0) {
    throw DataError(printable(file.string()) + " is coloured; the images that it is compared with are gray");
  }
  return planes[0];
}

}  // namespace

Dataset load_image_folder(const fs::path& directory, std::int64_t channels, std::int64_t resolution) {
  Dataset dataset;
  dataset.name = directory.filename().empty() ? directory.parent_path().filename() : directory.filename();
  dataset.files = image_files(directory);
  std::vector<torch::Tensor> images;
  bool coloured = channels == 3;
  for (const auto& file : dataset.files) {
    images.push_back(fitted(with_channels(read_image(file), channels, file), resolution));
    coloured = coloured || images.back().size(0) == 3;
  }
  for (auto& image : images) image = image.expand({coloured ? 3 : 1, -1, -1});
  dataset.images = torch::stack(images).contiguous();
  dataset.hash = hash_images(dataset.images);
  return dataset;
}

}  // namespace slopegan
