#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "data/dataset.h"

/// Folders of images: listing, and loading without the cache of data/packed_images.h.
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

/// All images of a directory (see image_files) in memory, fitted to `resolution` as in training, without labels.
/// `channels` is 1 or 3; 0 selects 1 if all images are gray and 3 otherwise. Gray images are converted to RGB if
/// needed. Damaged files are skipped up to data.max_unreadable; `data` also tells how images are fitted and what is
/// behind transparent ones. Throws DataError for more damaged files, and for a coloured image if gray ones are
/// requested.
Dataset load_image_folder(const std::filesystem::path& directory, std::int64_t channels, std::int64_t resolution,
                          DataConfig data = {});

}  // namespace slopegan
