#include "data/npz.h"

#include <array>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "data/file_checks.h"
#include "data/npz_file.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/text.h"

namespace slopegan {

namespace {

/// The beginning of the arrays' names, or nothing where the file has no such split.
std::optional<std::string> npz_split(const NpzFile& file, Split split) {
  const std::vector<std::string> prefixes =
      split == Split::train ? std::vector<std::string>{"train"} : std::vector<std::string>{"test", "val"};
  for (const auto& prefix_name : prefixes) {
    if (file.has(prefix_name + "_images")) return prefix_name;
  }
  return std::nullopt;
}

std::string array_text(const std::filesystem::path& path, const std::string& name, const NpyArray& array) {
  return printable(path.string()) + ", " + name + " is of shape " + shape_text(array.shape) +
         format_text(" and {} bytes a value", array.item_size);
}

/// uint8 [N, C, H, W].
torch::Tensor image_tensor(const std::filesystem::path& path, const std::string& name, NpyArray array) {
  const auto& shape = array.shape;
  const bool sides = shape.size() >= 3 && shape[1] <= max_image_side && shape[2] <= max_image_side;
  const bool channels = shape.size() == 3 || (shape.size() == 4 && (shape[3] == 1 || shape[3] == 3));
  if (array.is_signed || array.item_size != 1 || !sides || !channels) {
    throw DataError(array_text(path, name, array) +
                    "; images are unsigned bytes of shape N x H x W or N x H x W x 3, sides of 1 to 4096");
  }
  const auto values =
      torch::from_blob(array.values.release(), shape, [](void* memory) { std::free(memory); }, torch::kByte);
  return shape.size() == 3 ? values.unsqueeze(1) : values.permute({0, 3, 1, 2}).contiguous();
}

std::int64_t value_at(const NpyArray& array, std::size_t index) {
  std::uint64_t value = 0;
  std::memcpy(&value, array.values.get() + index * array.item_size, array.item_size);
  const auto unused_bits = static_cast<unsigned>(64 - 8 * array.item_size);
  return array.is_signed ? static_cast<std::int64_t>(value << unused_bits) >> unused_bits
                         : static_cast<std::int64_t>(value);
}

/// int64 [N], or undefined where an image has several.
torch::Tensor label_tensor(const std::filesystem::path& path, const std::string& name, const NpyArray& array,
                           std::int64_t images) {
  if (array.shape.empty() || array.shape[0] != images) {
    throw DataError(array_text(path, name, array) + format_text(", there are {} images", images));
  }
  if (array.count != static_cast<std::size_t>(images)) {
    log::info(printable(path.string()) + ": several labels an image; they are not used");
    return {};
  }
  auto labels = torch::empty({images}, torch::kLong);
  for (std::int64_t i = 0; i < images; ++i) {
    labels.mutable_data_ptr<std::int64_t>()[i] = value_at(array, static_cast<std::size_t>(i));
  }
  return labels;
}

}  // namespace

bool has_npz_split(const std::filesystem::path& path, Split split) {
  return npz_split(NpzFile(path), split).has_value();
}

Dataset load_npz(const std::filesystem::path& path, Split split) {
  const NpzFile file(path);
  const auto begin = npz_split(file, split);
  if (!begin) {
    throw DataError(printable(path.string()) + " holds no array " + split_name(split) +
                    "_images, as MedMNIST's npz files do; it holds: " + printable(join(file.arrays(), ", ")));
  }
  const std::string images = *begin + "_images", labels = *begin + "_labels";
  Dataset dataset;
  dataset.name = dataset_name(path.parent_path() / path.stem());
  dataset.files = {path};
  dataset.images = image_tensor(path, images, file.read(images));
  if (file.has(labels)) dataset.labels = label_tensor(path, labels, file.read(labels), dataset.size());
  return dataset;
}

}  // namespace slopegan
