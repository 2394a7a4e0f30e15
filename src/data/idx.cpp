#include <string>

#include "data/dataset.h"
#include "data/idx_file.h"
#include "data/idx_names.h"
#include "support/errors.h"
#include "support/text.h"

/// Data sets in the IDX format of MNIST and its relatives: one channel, images and labels in separate files.
namespace slopegan {

namespace {

namespace fs = std::filesystem;

/// An error message that says why find_idx_files found no images, and which files it expects.
std::string missing_idx_message(const fs::path& path, Split split) {
  const std::string shown = printable(path.string()), start = idx_prefix(split);
  std::error_code error;
  const auto status = fs::status(path, error);
  if (status.type() == fs::file_type::none) return "data.path: " + shown + " cannot be read: " + error.message();
  const std::string expected =
      start + "-images-idx3-ubyte and " + start + "-labels-idx1-ubyte (optionally with .gz, or with a dot before idx)";
  const std::string hint =
      "; Debian's package dataset-fashion-mnist provides the default data set, " + DataConfig{}.path;
  if (status.type() == fs::file_type::not_found) {
    return "data.path: " + shown + " does not exist; expected a directory with " + expected +
           ", or one such image file" + hint;
  }
  if (status.type() == fs::file_type::directory) {
    if (const auto names = idx_collections(path); names.size() > 1) {
      return "data.path: " + shown + " contains several data sets: " + printable(join(names, ", ")) +
             "; name the training image file of one of them";
    }
    return "data.path: the directory " + shown + " has no images of the " + split_name(split) + " split: expected " +
           expected + hint;
  }
  return "data.path: there is no test split next to " + shown +
         "; for example, the test split of train-images-idx3-ubyte is t10k-images-idx3-ubyte (both may end in .gz)";
}

/// Returns int64 [count]. Checks the number of labels before reading them.
torch::Tensor read_labels(const IdxFiles& files, std::int64_t count) {
  IdxFile labels(files.labels, 1);
  if (labels.shape().front() != count) {
    throw DataError(format_text("{} contains {} labels for the {} images of {}", printable(files.labels.string()),
                                labels.shape().front(), count, printable(files.images.string())));
  }
  return byte_tensor(labels.read_data(), labels.shape()).to(torch::kLong);
}

/// Sets the labels, or adds a note or a warning about why there are none. Images can be used without labels.
void add_labels(Dataset& dataset, const IdxFiles& files) {
  if (files.labels.empty()) {
    dataset.notes.push_back("there is no label file near " + printable(files.images.filename().string()));
    return;
  }
  try {
    dataset.labels = read_labels(files, dataset.size());
    dataset.files.push_back(files.labels);
  } catch (const DataError& error) {
    dataset.warnings.push_back(std::string(error.what()) + "; the images are used without labels");
  }
}

Dataset load_idx(const DataConfig& config, const fs::path& path, Split split) {
  const auto files = find_idx_files(path, split);
  if (!files) throw DataError(missing_idx_message(path, split));
  Dataset dataset;
  dataset.name = dataset_name(path);
  dataset.files = {files->images};
  IdxFile images(files->images, 3);
  dataset.images = byte_tensor(images.read_data(), images.shape()).unsqueeze(1);
  if (config.transpose) dataset.images = dataset.images.transpose(2, 3).contiguous();
  if (config.labels == LabelUse::none) {
    if (!files->labels.empty()) note_unused_labels(dataset);
  } else {
    add_labels(dataset, *files);
  }
  return dataset;
}

bool has_idx_split(const fs::path& path, Split split) { return find_idx_files(path, split).has_value(); }

}  // namespace

const DatasetFormat idx_format{has_idx_split, load_idx};

}  // namespace slopegan
