#include "data/idx.h"

#include <cstdlib>
#include <string>

#include "data/idx_file.h"
#include "data/idx_files.h"
#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace {

torch::Tensor read_tensor(IdxFile& file) {
  void* data = file.read_data().release();
  return torch::from_blob(data, file.shape(), [](void* pointer) { std::free(pointer); }, torch::kByte);
}

/// int64 [N], one label for each of the `count` images. Their number is compared before any is read.
torch::Tensor read_labels(const IdxFiles& files, std::int64_t count) {
  IdxFile labels(files.labels, 1);
  if (labels.shape().front() != count) {
    throw DataError(printable(files.labels.string()) +
                    format_text(" holds {} labels for the {} images of ", labels.shape().front(), count) +
                    printable(files.images.string()));
  }
  return read_tensor(labels).to(torch::kLong);
}

}  // namespace

torch::Tensor read_idx(const std::filesystem::path& file, int dimensions) {
  IdxFile input(file, dimensions);
  return read_tensor(input);
}

Dataset load_idx(const std::filesystem::path& path, Split split, bool transpose) {
  const auto files = find_idx_files(path, split);
  if (!files) throw DataError(missing_idx_message(path, split));
  Dataset dataset;
  dataset.name = dataset_name(path);
  dataset.files = {files->images};
  dataset.images = read_idx(files->images, 3).unsqueeze(1);
  if (transpose) dataset.images = dataset.images.transpose(2, 3).contiguous();
  if (!files->labels.empty()) {
    dataset.files.push_back(files->labels);
    dataset.labels = read_labels(*files, dataset.size());
  }
  return dataset;
}

}  // namespace slopegan
