#include "data/image_folder.h"

#include "data/folder_files.h"
#include "data/packed_images.h"
#include "support/log.h"
#include "support/text.h"

namespace slopegan {

/// int64 [N] of the files that are images.
static torch::Tensor readable_labels(const FolderImages& folder, const PackedImages& packed) {
  std::vector<std::int64_t> labels = folder.labels;
  for (auto file = packed.unreadable.rbegin(); file != packed.unreadable.rend(); ++file) {
    labels.erase(labels.begin() + static_cast<std::ptrdiff_t>(file->index));
  }
  return torch::tensor(labels, torch::kLong);
}

Dataset load_packed_folder(const DataConfig& config, const std::filesystem::path& path, Split split) {
  const FolderImages folder = list_folder(path, split);
  PackedImages packed = packed_images(folder, {.channels = config.channels == 1 ? 1 : 3,
                                               .resolution = config.resolution,
                                               .max_unreadable = config.max_unreadable});
  Dataset dataset;
  dataset.name = dataset_name(path);
  dataset.files = {folder.root};
  dataset.images = packed.images;
  dataset.hash = packed.hash;
  dataset.class_names = folder.class_names;
  if (!folder.labels.empty()) dataset.labels = readable_labels(folder, packed);
  for (const auto& file : packed.unreadable) dataset.unreadable.push_back(file.reason);
  if (!dataset.unreadable.empty()) {
    log::warning(format_text("{} of the {} files of ", dataset.unreadable.size(), folder.files.size()) +
                 printable(folder.root.string()) + " cannot be read and are left out, such as " +
                 dataset.unreadable.front());
  }
  return dataset;
}

}  // namespace slopegan
