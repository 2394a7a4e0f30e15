#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <torch/types.h>

#include "data/image_tally.h"

/// Reads the files of a folder as images of equal size.
namespace slopegan {

/// The options that determine how a file is converted to bytes.
struct PixelOptions {
  std::int64_t channels = 3;  ///< 1 or 3; 0 keeps the channels of the file, gray or RGB
  std::int64_t resolution = 32;
  ImageFit fit = ImageFit::crop;
  std::string background = "white";  ///< see DataConfig
  bool as_in_0_9 = false;            ///< see DataConfig
  int deep_bits = 16;                ///< see DecodeOptions and deep_bits_of
};

/// The options for a folder, according to `data`.
PixelOptions pixel_options(const DataConfig& data);

/// The result for one file: an image, or the reason why it cannot be used.
struct FolderImage {
  torch::Tensor image;     ///< uint8 [channels, resolution, resolution], or undefined
  ImageFacts facts;        ///< empty with as_in_0_9
  Fit fit;                 ///< how an image of size facts.size is fitted; empty with as_in_0_9
  std::string reason;      ///< one line that names the file
  bool too_large = false;  ///< whether the image is too large, but not damaged
  bool io_error = false;   ///< whether the file could not be read, so its image may be intact
};

/// Reads the files `root / files[i]`, begin <= i < end, on all cores. Throws StoppedError on a stop signal.
std::vector<FolderImage> read_folder_images(const std::filesystem::path& root,
                                            const std::vector<std::filesystem::path>& files, std::size_t begin,
                                            std::size_t end, const PixelOptions& options);

/// Decodes the 16-bit images among the files and returns the number of bits that their values use: 8, 10, 12, 14 or 16.
/// All images are considered together, because such files often contain 12-bit camera data, and a single image need not
/// use the full range. Throws StoppedError on a stop signal.
int deep_bits_of(const std::filesystem::path& root, const std::vector<std::filesystem::path>& files);

}  // namespace slopegan
