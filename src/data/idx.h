#pragma once

#include <filesystem>

#include <torch/types.h>

#include "data/dataset.h"

/// The IDX format of MNIST and its relatives, plain or gzipped (told by content, not by name).
namespace slopegan {

/// Reads a split with one channel. `path` is what find_idx_files takes. Throws DataError.
Dataset load_idx(const std::filesystem::path& path, Split split);

/// A file of unsigned bytes with exactly `dimensions` dimensions (3: images, 1: labels) as a uint8 tensor of that
/// shape. The memory in use follows what the file really holds, not what its header claims. Throws DataError where the
/// file cannot be read, is no such IDX file, or holds less or more than its header says.
torch::Tensor read_idx(const std::filesystem::path& file, int dimensions);

}  // namespace slopegan
