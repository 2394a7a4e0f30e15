#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "config/config.h"
#include "data/dataset.h"
#include "data/folder_listing.h"

/// Lists the images of a folder. See data/packed_images.h for decoding them.
namespace slopegan {

struct FolderImages {
  std::filesystem::path root;
  std::vector<std::filesystem::path> files;  ///< relative to root
  bool has_bmp_or_tiff = false;              ///< at least one of them is a BMP or TIFF file; not set with as_in_0_9
  std::vector<std::string> class_names;      ///< by label, sorted; empty if there are no labels
  std::vector<std::int64_t> labels;          ///< one per file, or empty
  std::string fingerprint;                   ///< SHA-256 of the files' names, sizes and modification times
  std::vector<std::string> notes, warnings;  ///< see Dataset
};

/// How a folder is listed.
struct FolderRules {
  bool labels = true;      ///< use the names of directories as labels
  bool as_in_0_9 = false;  ///< DataConfig::as_in_0_9; labels are then always used
};

/// Lists the training images (data/folder_listing.h, data/folder_layout.h) with their labels (data/folder_labels.h).
/// Throws DataError if there are no images.
FolderImages list_folder(const std::filesystem::path& path, const FolderRules& rules = {});

/// Lists the test images like list_folder, but labels them with the classes of `train`, the training images of the same
/// folder. If a test image belongs to none of these classes, the images have no labels or, with as_in_0_9, DataError is
/// thrown. Also throws DataError if there is no test split.
FolderImages list_test_folder(const std::filesystem::path& path, const FolderImages& train,
                              const FolderRules& rules = {});

}  // namespace slopegan
