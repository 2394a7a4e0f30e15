#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "config/config.h"
#include "data/dataset.h"
#include "data/folder_listing.h"

/// Folders of images: listing them. data/packed_images.h decodes them.
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

}  // namespace slopegan
