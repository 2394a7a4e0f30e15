#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "data/dataset.h"

/// Folders of images: listing them. data/packed_images.h decodes them.
namespace slopegan {

/// The PNG, JPEG and WebP files in `directory` and its subdirectories, as paths relative to it in sorted order. Skips
/// hidden files (with a leading dot) and does not follow links to directories. Throws DataError if there are none or
/// the directory cannot be listed.
std::vector<std::filesystem::path> image_files(const std::filesystem::path& directory);

/// The directory of a split. If `path` contains a directory train, that is the training split, and test or val next to
/// it is the test split; otherwise `path` itself is the training split. Returns std::nullopt if there is no such split.
std::optional<std::filesystem::path> split_folder(const std::filesystem::path& path, Split split);

struct FolderImages {
  std::filesystem::path root;
  std::vector<std::filesystem::path> files;  ///< relative to root
  std::vector<std::string> class_names;      ///< subdirectories of the training split, sorted; empty without labels
  std::vector<std::int64_t> labels;          ///< one per file, or empty
  std::string fingerprint;                   ///< SHA-256 of the files' names, sizes and modification times
};

/// Lists a split. The label of an image is the top-level directory of the split that contains it. There are labels if
/// every training image is in such a directory and there are at least two of them. Throws DataError, for example if the
/// test split has a directory that the training split lacks.
FolderImages list_folder(const std::filesystem::path& path, Split split);

}  // namespace slopegan
