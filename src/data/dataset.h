#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <torch/types.h>

#include "config/config.h"

namespace slopegan {

enum class Split { train, test };

/// "train" or "test".
const char* split_name(Split split);

/// All images of a split, in memory or in a file that is mapped into it.
struct Dataset {
  std::string name;                          ///< of the directory or file, for titles
  std::vector<std::filesystem::path> files;  ///< what was read: the images, then the labels where there are any
  torch::Tensor images;                      ///< uint8 [N, C, H, W], contiguous, on the CPU; N ≥ 1, C is 1 or 3
  torch::Tensor labels;                      ///< int64 [N], or undefined where the data has none
  std::string hash;                          ///< SHA-256 of the images' shape and bytes, hexadecimal
  std::vector<std::string> class_names;      ///< by label, or empty where the data has no names for them
  std::vector<std::string> unreadable;       ///< files that were left out, each with the reason

  std::int64_t size() const { return images.size(0); }
  std::int64_t channels() const { return images.size(1); }
  std::int64_t height() const { return images.size(2); }
  std::int64_t width() const { return images.size(3); }
  bool has_labels() const { return labels.defined(); }
};

/// Whether the data set at `config.path` comes with that split; looks at names alone. Throws DataError where the file
/// that would say so is damaged.
bool has_split(const DataConfig& config, Split split);

/// Reads a split and brings it to config.channels; a leading ~/ of config.path is the home directory. A folder of
/// images is packed into the cache first, see data/packed_images.h. Throws DataError, which names the file and what is
/// wrong with it, also where the split does not exist.
std::shared_ptr<const Dataset> load_dataset(const DataConfig& config, Split split);

/// What a data set at `path` is called: the last part of its name, printable.
std::string dataset_name(const std::filesystem::path& path);

/// What Dataset::hash is: of "uint8 N C H W\n" followed by the bytes of `images` (uint8 [N, C, H, W], contiguous).
std::string hash_images(const torch::Tensor& images);

}  // namespace slopegan
