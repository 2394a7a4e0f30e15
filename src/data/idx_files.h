#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "data/dataset.h"

namespace slopegan {

/// Where a split lies. `labels` is empty where there are none.
struct IdxFiles {
  std::filesystem::path images;
  std::filesystem::path labels;
};

/// The files of a split, or nothing where its images are not there. `path` is a directory with train-images-idx3-ubyte,
/// train-labels-idx1-ubyte, t10k-… (also train-images.idx3-ubyte, each also with .gz), or one file of images, which is
/// the training split whatever its name; its labels and the test split are looked for beside it by name.
std::optional<IdxFiles> find_idx_files(const std::filesystem::path& path, Split split);

/// Why find_idx_files found nothing: what was looked for and where it can be had, one sentence.
std::string missing_idx_message(const std::filesystem::path& path, Split split);

}  // namespace slopegan
