#pragma once

#include <filesystem>

#include <torch/types.h>

#include "data/dataset.h"

/// Data sets in the IDX format of MNIST and its relatives.
namespace slopegan {

/// Reads a split with one channel. `path` is what find_idx_files takes; `transpose` is for images that are stored
/// column by column, as EMNIST's are. Throws DataError.
Dataset load_idx(const std::filesystem::path& path, Split split, bool transpose = false);

/// All of an IdxFile as a uint8 tensor of its shape. Throws DataError.
torch::Tensor read_idx(const std::filesystem::path& file, int dimensions);

}  // namespace slopegan
