#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "config/config.h"
#include "data/dataset.h"
#include "data/folder_listing.h"

/// Folders of images: listing, and loading without the cache of data/packed_images.h.
namespace slopegan {

struct FolderImages {
  std::filesystem::path root;
  std::vector<std::filesystem::path> files;  ///< relative to root
  std::vector<std::string> class_names;      ///< directories of the training images, sorted; empty without labels
  std::vector<std::int64_t> labels;          ///< one per file, or empty
  std::string fingerprint;                   ///< SHA-256 of the files' names, sizes and modification times
  std::vector<std::string> notes, warnings;  ///< see Dataset
};

/// How a folder is listed.
struct FolderRules {
  bool labels = true;      ///< use the names of directories as labels
  bool as_in_0_9 = false;  ///< DataConfig::as_in_0_9; the labels are used then
};

/// Lists the images (data/folder_listing.h) of a split (data/folder_layout.h) with their labels
/// (data/folder_labels.h). Labels that do not fit never make a split unusable: the images are then used without labels.
/// Throws DataError if there is no such split or it holds no images.
FolderImages list_folder(const std::filesystem::path& path, Split split, const FolderRules& rules = {});

/// All images of a directory (see image_files) in memory, fitted to `resolution` as in training, without labels.
/// `channels` is 1 or 3; 0 selects 1 if all images are gray and 3 otherwise. Gray images are converted to RGB if
/// needed. Damaged files are skipped up to data.max_unreadable; `data` also tells how images are fitted and what is
/// behind transparent ones. Throws DataError for more damaged files, and for a coloured image if gray ones are
/// requested.
Dataset load_image_folder(const std::filesystem::path& directory, std::int64_t channels, std::int64_t resolution,
                          DataConfig data = {});

}  // namespace slopegan
