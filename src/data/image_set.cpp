#include "data/image_set.h"

#include <algorithm>
#include <string>
#include <vector>

#include "data/image_folder.h"
#include "images/image_file.h"
#include "support/errors.h"
#include "support/posix_file.h"
#include "support/text.h"

namespace slopegan {

namespace {

bool is_zip_file(const std::filesystem::path& path) { return read_first_bytes(path).starts_with("PK\3\4"); }

/// The size of an image file, from its header if possible; std::nullopt if it cannot be read.
std::optional<cv::Size> size_of_image(const std::filesystem::path& file) {
  try {
    std::string start(std::size_t{1} << 18, '\0');  // JPEG files may contain a thumbnail before their size
    start.resize(PosixFile::open_regular(file).read(std::as_writable_bytes(std::span(start))));
    if (const auto size = declared_size(start)) return size;
    return read_image(file).size();
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::int64_t median(std::vector<std::int64_t> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// The smaller of the median height and width of up to 500 files, or 0 if none can be read.
std::int64_t median_side(const FolderImages& folder) {
  const std::size_t count = std::min<std::size_t>(folder.files.size(), 500);
  std::vector<std::int64_t> heights, widths;
  for (std::size_t i = 0; i < count; ++i) {
    const auto size = size_of_image(folder.root / folder.files[i * folder.files.size() / count]);
    if (!size) continue;
    heights.push_back(size->height);
    widths.push_back(size->width);
  }
  return heights.empty() ? 0 : std::min(median(heights), median(widths));
}

/// Whether red, green and blue are equal in all pixels of all images.
bool is_gray(const torch::Tensor& images) {
  for (const auto& part : images.split(1024)) {
    if (!torch::equal(part.select(1, 0), part.select(1, 1)) || !torch::equal(part.select(1, 0), part.select(1, 2))) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool ImageSet::is_at(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored) || is_zip_file(path);
}

ImageSet::ImageSet(const std::filesystem::path& path, const DataConfig& like) : config_(like) {
  config_.path = path.string();
  config_.channels = 0;
  config_.labels = LabelUse::none;
  config_.transpose = false;
  config_.kind = is_zip_file(path) ? DatasetKind::npz : DatasetKind::image_folder;
  if (config_.kind == DatasetKind::npz) arrays_ = load_dataset(config_, Split::train);
}

std::int64_t ImageSet::natural_resolution() const {
  // The rules must be those of load(), so that the resolution is derived from the images that are compared.
  const FolderRules rules{.labels = false, .as_in_0_9 = config_.as_in_0_9};
  const std::int64_t side =
      arrays_ ? std::min(arrays_->height(), arrays_->width()) : median_side(list_folder(config_.path, rules));
  std::int64_t largest = comparison_resolutions.front();
  for (const auto resolution : comparison_resolutions) {
    if (resolution <= side) largest = resolution;
  }
  return largest;
}

std::shared_ptr<const Dataset> ImageSet::stored(std::int64_t resolution) const {
  if (arrays_) return arrays_;
  DataConfig config = config_;
  config.resolution = resolution;
  return load_dataset(config, Split::train);
}

std::shared_ptr<const Dataset> ImageSet::load(std::int64_t channels, std::int64_t resolution) const {
  auto dataset = std::make_shared<Dataset>(*stored(resolution));
  log_notes(*dataset, printable(config_.path));
  const bool gray = dataset->channels() == 1 || (channels != 3 && is_gray(dataset->images));
  const std::int64_t wanted = channels > 0 ? channels : gray ? 1 : 3;
  if (wanted == dataset->channels()) return dataset;
  if (wanted == 1 && !gray) {
    throw DataError(printable(config_.path) +
                    " contains coloured images, but the images that they are compared with are gray");
  }
  dataset->images =
      (wanted == 1 ? dataset->images.slice(1, 0, 1) : dataset->images.expand({-1, 3, -1, -1})).contiguous();
  dataset->hash = hash_images(dataset->images);
  return dataset;
}

}  // namespace slopegan
