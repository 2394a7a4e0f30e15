#pragma once

#include <filesystem>

#include "data/dataset.h"

/// Data sets of several arrays in one NumPy archive, as MedMNIST (Yang et al. 2023) comes: train_images, train_labels,
/// val_images, …, test_labels. Images are uint8 [N, H, W] or [N, H, W, 1 or 3], labels whole numbers [N] or [N, 1].
namespace slopegan {

/// The test split is test_images, or val_images in a file without. Throws DataError where `path` is no such archive.
bool has_npz_split(const std::filesystem::path& path, Split split);

/// Images with several labels each (ChestMNIST) count as images without. Throws DataError.
Dataset load_npz(const std::filesystem::path& path, Split split);

}  // namespace slopegan
