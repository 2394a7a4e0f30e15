#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <torch/types.h>

#include "data/folder_files.h"

/// The images of a folder, decoded once into one file of the cache that is then mapped into memory, so that a hundred
/// thousand of them take disk and not memory.
namespace slopegan {

struct UnreadableFile {
  std::size_t index = 0;  ///< in FolderImages::files
  std::string reason;     ///< one line that names the file
};

struct PackedImages {
  torch::Tensor images;                    ///< uint8 [N, channels, resolution, resolution] in mapped memory: read only
  std::string hash;                        ///< hash_images of it
  std::vector<UnreadableFile> unreadable;  ///< in the order of their indices; the other files are the images
};

struct PackOptions {
  std::int64_t channels = 3;  ///< 1 or 3
  std::int64_t resolution = 32;
  double max_unreadable = 0;  ///< share of the files
};

/// The images of `folder` from the cache where they are there and whole (every byte is compared with its SHA-256) and
/// the folder's fingerprint is the one that they were packed from. Otherwise they are packed: with all cores, a few
/// hundred at a time; a process that is stopped or killed meanwhile leaves what it has, and the next one goes on there.
/// Processes that want the same images wait for the one that packs. Throws DataError where a larger share of the files
/// than allowed, or all, cannot be read, IoError where the cache cannot be written or the disk has no room,
/// StoppedError where a signal asks to stop.
PackedImages packed_images(const FolderImages& folder, const PackOptions& options);

}  // namespace slopegan
