#include "images/npz.h"

#include <cstring>
#include <optional>
#include <utility>

#include "data/dataset.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/text.h"

/// Data sets of several arrays in one NumPy archive, in the layout of MedMNIST (Yang et al. 2023): train_images,
/// train_labels, val_images, ..., test_labels. Images are uint8 [N, H, W] or [N, H, W, 1 or 3], labels are integers [N]
/// or [N, 1]. Images with several labels each (ChestMNIST) are read without labels.
namespace slopegan {

namespace {

/// The prefix of the split's arrays, or std::nullopt if the file lacks the split. Validation images serve as the test
/// split of a file without test images.
std::optional<std::string> split_prefix(const NpzFile& file, Split split) {
  const std::vector<std::string> prefixes =
      split == Split::train ? std::vector<std::string>{"train"} : std::vector<std::string>{"test", "val"};
  for (const auto& prefix : prefixes) {
    if (file.has(prefix + "_images")) return prefix;
  }
  return std::nullopt;
}

std::string array_text(const std::filesystem::path& path, const std::string& name, const NpyArray& array) {
  return format_text("{}, {} has the shape {} and {} bytes per value", printable(path.string()), name,
                     shape_text(array.shape), array.item_size);
}

/// uint8 [N, C, H, W].
torch::Tensor image_tensor(const std::filesystem::path& path, const std::string& name, NpyArray array) {
  const auto& shape = array.shape;
  const bool sides = shape.size() >= 3 && shape[1] <= max_image_side && shape[2] <= max_image_side;
  const bool channels = shape.size() == 3 || (shape.size() == 4 && (shape[3] == 1 || shape[3] == 3));
  if (array.is_signed || array.item_size != 1 || !sides || !channels) {
    throw DataError(array_text(path, name, array) +
                    "; images must be unsigned bytes of shape N x H x W or N x H x W x 3 with sides of 1 to 4096");
  }
  const auto values = byte_tensor(std::move(array.values), shape);
  return shape.size() == 3 ? values.unsqueeze(1) : values.permute({0, 3, 1, 2}).contiguous();
}

std::int64_t value_at(const NpyArray& array, std::size_t index) {
  std::uint64_t value = 0;
  std::memcpy(&value, array.values.memory.get() + index * array.item_size, array.item_size);
  const auto unused_bits = static_cast<unsigned>(64 - 8 * array.item_size);
  return array.is_signed ? static_cast<std::int64_t>(value << unused_bits) >> unused_bits
                         : static_cast<std::int64_t>(value);
}

/// int64 [N], or undefined if there are several labels per image.
torch::Tensor label_tensor(const std::filesystem::path& path, const std::string& name, const NpyArray& array,
                           std::int64_t images) {
  if (array.shape.empty() || array.shape[0] != images) {
    throw DataError(array_text(path, name, array) + format_text(", but there are {} images", images));
  }
  if (array.count != static_cast<std::size_t>(images)) {
    log::info(printable(path.string()) + ": several labels per image; they are ignored");
    return {};
  }
  auto labels = torch::empty({images}, torch::kLong);
  for (std::int64_t i = 0; i < images; ++i) {
    labels.mutable_data_ptr<std::int64_t>()[i] = value_at(array, static_cast<std::size_t>(i));
  }
  return labels;
}

bool has_npz_split(const std::filesystem::path& path, Split split) {
  return split_prefix(NpzFile(path), split).has_value();
}

Dataset load_npz(const DataConfig&, const std::filesystem::path& path, Split split) {
  const NpzFile file(path);
  const auto prefix = split_prefix(file, split);
  if (!prefix) {
    throw DataError(format_text("{} holds no array {}_images (the layout of MedMNIST is expected); it holds: {}",
                                printable(path.string()), split_name(split), printable(join(file.arrays(), ", "))));
  }
  const std::string images = *prefix + "_images", labels = *prefix + "_labels";
  Dataset dataset;
  dataset.name = dataset_name(path.parent_path() / path.stem());
  dataset.files = {path};
  dataset.images = image_tensor(path, images, file.read(images));
  if (file.has(labels)) dataset.labels = label_tensor(path, labels, file.read(labels), dataset.size());
  return dataset;
}

}  // namespace

const DatasetFormat npz_format{has_npz_split, load_npz};

}  // namespace slopegan
