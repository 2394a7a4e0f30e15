#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <torch/types.h>

#include "data/image_tally.h"

/// The files of a folder as images of one size.
namespace slopegan {

/// What determines the bytes that a file becomes.
struct PixelOptions {
  std::int64_t channels = 3;  ///< 1 or 3; 0 keeps the file's: gray or RGB
  std::int64_t resolution = 32;
  ImageFit fit = ImageFit::crop;
  std::string background = "white";  ///< see DataConfig
  bool as_in_0_9 = false;            ///< see DataConfig
  int deep_bits = 16;                ///< see DecodeOptions and deep_bits_of
};

/// The options for a folder that `data` describes.
PixelOptions pixel_options(const DataConfig& data);

/// One file: an image, or the reason why there is none.
struct FolderImage {
  torch::Tensor image;     ///< uint8 [channels, resolution, resolution], or undefined
  ImageFacts facts;        ///< empty as in version 0.9
  Fit fit;                 ///< what was done to an image of facts.size
  std::string reason;      ///< one line that names the file
  bool too_large = false;  ///< and not damaged
};

/// Reads the files `root / files[i]`, begin <= i < end, on all cores. Throws StoppedError on a stop signal.
std::vector<FolderImage> read_folder_images(const std::filesystem::path& root,
                                            const std::vector<std::filesystem::path>& files, std::size_t begin,
                                            std::size_t end, const PixelOptions& options);

/// How many bits the 16-bit images among the files use, all together: 8, 10, 12, 14 or 16, because such files often
/// contain the 12 bits of a camera, and an image alone does not tell its range. Decodes these images. Throws
/// StoppedError on a stop signal.
int deep_bits_of(const std::filesystem::path& root, const std::vector<std::filesystem::path>& files);

}  // namespace slopegan
