#include "evaluation/image_folder.h"

#include <vector>

#include <opencv2/imgproc.hpp>

#include "data/fitted_image.h"
#include "data/folder_files.h"
#include "images/image_file.h"
#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace fs = std::filesystem;

namespace {

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
  dataset.name = dataset_name(directory);
  dataset.files = {directory};
  std::vector<torch::Tensor> images;
  bool coloured = channels == 3;
  for (const auto& name : image_files(directory)) {
    const auto file = directory / name;
    images.push_back(fitted_image(with_channels(read_image(file), channels, file), resolution));
    coloured = coloured || images.back().size(0) == 3;
  }
  for (auto& image : images) image = image.expand({coloured ? 3 : 1, -1, -1});
  dataset.images = torch::stack(images).contiguous();
  dataset.hash = hash_images(dataset.images);
  return dataset;
}

}  // namespace slopegan
