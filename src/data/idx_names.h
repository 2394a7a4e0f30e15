#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"

/// Finds the IDX files of a split by their names. The original names are those of MNIST: train-images-idx3-ubyte,
/// train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte.
namespace slopegan {

/// The files of a split. `labels` is empty if there are none.
struct IdxFiles {
  std::filesystem::path images;
  std::filesystem::path labels;
};

/// The files of a split, or std::nullopt if its images are missing. `path` is a directory that contains them, possibly
/// in subdirectories that archives created (see files_below), or one IDX file of images. Such a file is used as the
/// training split, regardless of its name; its labels and the test split are looked up by name near the file. A
/// directory with several collections has no split; see idx_collections.
std::optional<IdxFiles> find_idx_files(const std::filesystem::path& path, Split split);

/// The names of the collections of training images in a directory. A collection is named after the prefix of its files:
/// "emnist-letters" for emnist-letters-train-images-idx3-ubyte, and "" for the names of MNIST. Files with MNIST's names
/// take precedence over others, and a collection in `directory` itself over the same collection in its subdirectories.
/// If a collection is in several subdirectories, each copy may be a different data set and has its own name: the path
/// of the subdirectory for files with MNIST's names ("mnist", "fashion"), and this path followed by the name of the
/// collection for others ("a/emnist-letters", "b/emnist-letters").
std::vector<std::string> idx_collections(const std::filesystem::path& directory);

/// The first word in MNIST's names for the files of a split: "train" or "t10k".
const char* idx_prefix(Split split);

}  // namespace slopegan
