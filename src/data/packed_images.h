#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <torch/types.h>

#include "data/image_folder.h"

/// The images of a folder, decoded once into a file in the cache that is then memory-mapped, so large folders take disk
/// space instead of memory.
namespace slopegan {

struct UnreadableFile {
  std::size_t index = 0;  ///< in FolderImages::files
  std::string reason;     ///< one line that names the file
};

struct PackedImages {
  torch::Tensor images;                    ///< uint8 [N, channels, resolution, resolution], memory-mapped and read-only
  std::string hash;                        ///< hash_images(images)
  std::vector<UnreadableFile> unreadable;  ///< by ascending index; the images are the other files
};

struct PackOptions {
  std::int64_t channels = 3;  ///< 1 or 3
  std::int64_t resolution = 32;
  double max_unreadable = 0;  ///< allowed fraction of unreadable files
};

/// Returns the images of `folder` from the cache if they were packed from files with the same fingerprint and all bytes
/// match their SHA-256. Otherwise packs them on all cores, a few hundred files at a time. If the process is stopped or
/// killed, the next process continues from there. Concurrent processes wait for the one that packs.
///
/// Throws DataError if more than options.max_unreadable of the files, or all of them, are unreadable, IoError if the
/// cache cannot be written or the disk lacks space, and StoppedError on a stop signal.
PackedImages packed_images(const FolderImages& folder, const PackOptions& options);

}  // namespace slopegan
