#pragma once

#include <filesystem>
#include <optional>

#include "data/image_folder.h"

/// The rules of version 0.9 for the files, splits and labels of a folder. A run that was started with version 0.9 must
/// continue with exactly the same images (DataConfig::as_in_0_9).
namespace slopegan {

/// Returns the directory of a split, or std::nullopt if the split does not exist. If `path` contains a directory named
/// train, this directory is the training split, and test or val next to it is the test split. Otherwise, `path` itself
/// is the training split.
std::optional<std::filesystem::path> split_as_in_0_9(const std::filesystem::path& path, Split split);

/// Lists the files with the extension png, jpg, jpeg or webp. Skips hidden files and directories, and does not follow
/// symlinks to directories. The images have labels if every training image is in one of at least two top-level
/// directories. Throws DataError if the split does not exist, cannot be listed or contains no such files, or if the
/// training images have labels and a test image is in none of their directories.
FolderImages list_as_in_0_9(const std::filesystem::path& path, Split split);

}  // namespace slopegan
