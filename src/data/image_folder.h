#pragma once

#include <filesystem>

#include "data/dataset.h"

namespace slopegan {

/// A split of a folder of images (see data/folder_files.h), packed at config.resolution with config.channels (0:
/// three). What cannot be read is left out, counted and named. `path` is config.path, resolved. Throws as packed_images
/// does.
Dataset load_packed_folder(const DataConfig& config, const std::filesystem::path& path, Split split);

}  // namespace slopegan
