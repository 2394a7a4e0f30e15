#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"
#include "data/idx_file.h"
#include "support/errors.h"
#include "support/text.h"

/// Data sets in the IDX format of MNIST and its relatives: one channel, images and labels in separate files.
namespace slopegan {

namespace {

namespace fs = std::filesystem;

/// The files of a split. `labels` is empty if there are none.
struct IdxFiles {
  fs::path images;
  fs::path labels;
};

bool present(const fs::path& path) {
  std::error_code ignored;  // an inaccessible entry counts as missing
  return fs::exists(path, ignored);
}

/// The possible names of a file, starting with the original name in MNIST. Example: `stem` is train-images and `ending`
/// is idx3-ubyte.
std::vector<std::string> file_names(const std::string& stem, const std::string& ending) {
  return {stem + "-" + ending, stem + "-" + ending + ".gz", stem + "." + ending, stem + "." + ending + ".gz"};
}

const char* file_prefix(Split split) { return split == Split::train ? "train" : "t10k"; }

fs::path first_of(const fs::path& directory, const std::vector<std::string>& candidates) {
  for (const auto& name : candidates) {
    if (has_entry(directory / name)) return directory / name;
  }
  return {};
}

/// `name`, and the same name with .gz added or removed.
std::vector<std::string> with_and_without_gz(const std::string& name) {
  return {name, name.ends_with(".gz") ? name.substr(0, name.size() - 3) : name + ".gz"};
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  if (const auto at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

fs::path labels_beside(const fs::path& images) {
  const std::string name = images.filename().string();
  const std::string label_name = replaced(replaced(name, "images", "labels"), "idx3", "idx1");
  if (name.find("images") == std::string::npos) return {};
  return first_of(images.parent_path(), with_and_without_gz(label_name));
}

/// The file of test images in the directory of a file of training images, or an empty path if there is none. EMNIST has
/// names such as emnist-letters-train-images-idx3-ubyte and emnist-letters-test-images-idx3-ubyte.
fs::path test_images_beside(const fs::path& train_images) {
  const std::string name = train_images.filename().string();
  if (name.starts_with("train")) {
    return first_of(train_images.parent_path(), with_and_without_gz(replaced(name, "train", "t10k")));
  }
  if (name.find("-train-") == std::string::npos) return {};
  return first_of(train_images.parent_path(), with_and_without_gz(replaced(name, "-train-", "-test-")));
}

/// The files of a split, or std::nullopt if its images are missing. `path` is a directory with train-images-idx3-ubyte,
/// train-labels-idx1-ubyte, t10k-... (or train-images.idx3-ubyte; each optionally with .gz), or one file of images. A
/// file is used as the training split, whatever its name; its labels and the test split are searched for by name in its
/// directory.
std::optional<IdxFiles> find_idx_files(const fs::path& path, Split split) {
  if (!present(path)) return std::nullopt;
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    const std::string start = file_prefix(split);
    const IdxFiles files{.images = first_of(path, file_names(start + "-images", "idx3-ubyte")),
                         .labels = first_of(path, file_names(start + "-labels", "idx1-ubyte"))};
    return files.images.empty() ? std::nullopt : std::optional(files);
  }
  const fs::path images = split == Split::train ? path : test_images_beside(path);
  return images.empty() ? std::nullopt : std::optional(IdxFiles{.images = images, .labels = labels_beside(images)});
}

/// An error message that says why find_idx_files found no images, and which files it expects.
std::string missing_idx_message(const fs::path& path, Split split) {
  const std::string shown = printable(path.string()), start = file_prefix(split);
  std::error_code error;
  const auto status = fs::status(path, error);
  if (status.type() == fs::file_type::none) return "data.path: " + shown + " cannot be read: " + error.message();
  const std::string expected =
      start + "-images-idx3-ubyte and " + start + "-labels-idx1-ubyte (optionally with .gz, or with a dot before idx)";
  const std::string hint =
      "; Debian's package dataset-fashion-mnist provides the default data set, " + DataConfig{}.path;
  if (!present(path)) {
    return "data.path: there is no " + shown + ": expected a directory with " + expected +
           ", or one such file of images" + hint;
  }
  if (fs::is_directory(path, error)) {
    return "data.path: the directory " + shown + " has no " + split_name(split) + " images: expected " + expected +
           hint;
  }
  return "data.path: there is no test split next to " + shown +
         ": for a file train-images-idx3-ubyte it would be t10k-images-idx3-ubyte, each optionally with .gz";
}

/// int64 [count]. Checks the number of labels before reading them.
torch::Tensor read_labels(const IdxFiles& files, std::int64_t count) {
  IdxFile labels(files.labels, 1);
  if (labels.shape().front() != count) {
    throw DataError(format_text("{} holds {} labels for the {} images of {}", printable(files.labels.string()),
                                labels.shape().front(), count, printable(files.images.string())));
  }
  return byte_tensor(labels.read_data(), labels.shape()).to(torch::kLong);
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
  if (!files->labels.empty()) {
    dataset.files.push_back(files->labels);
    dataset.labels = read_labels(*files, dataset.size());
  }
  return dataset;
}

bool has_idx_split(const fs::path& path, Split split) { return find_idx_files(path, split).has_value(); }

}  // namespace

const DatasetFormat idx_format{has_idx_split, load_idx};

}  // namespace slopegan
