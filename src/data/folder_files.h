#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"

/// Which images a folder holds.
namespace slopegan {

/// The PNG, JPEG and WebP files in `directory` and the directories below it, relative to it, in the order of their
/// paths; none that is hidden (a leading dot), and links to directories are not followed. Throws DataError where there
/// are none, or the directory cannot be listed.
std::vector<std::filesystem::path> image_files(const std::filesystem::path& directory);

/// Where a split's images lie: `path` itself for training; or, where `path` holds a directory train, that and the test
/// or val beside it. Nothing where there is no such split.
std::optional<std::filesystem::path> split_folder(const std::filesystem::path& path, Split split);

struct FolderImages {
  std::filesystem::path root;
  std::vector<std::filesystem::path> files;  ///< relative to root
  std::vector<std::string> class_names;      ///< the directories of the training split, sorted; empty without labels
  std::vector<std::int64_t> labels;          ///< of each file, or empty
  std::string fingerprint;                   ///< SHA-256 of the files' names, sizes and times of change
};

/// Lists a split. An image's label is the directory of the split that it lies in, however deep; there are labels where
/// no training image lies outside such directories and there are two or more of them. Throws DataError, also where the
/// test split has a directory that the training split lacks.
FolderImages list_folder(const std::filesystem::path& path, Split split);

}  // namespace slopegan
