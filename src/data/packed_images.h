#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <torch/types.h>

#include "data/folder_image.h"
#include "data/image_folder.h"
#include "data/image_tally.h"

/// The images of a folder, decoded once into a file in the cache that is then memory-mapped, so large folders take disk
/// space instead of memory.
namespace slopegan {

struct UnreadableFile {
  std::size_t index = 0;   ///< in FolderImages::files
  std::string reason;      ///< one line that names the file
  bool too_large = false;  ///< whether the image is too large, but not damaged
  bool io_error = false;   ///< whether the file could not be read, so its image may be intact
};

/// Whether a file of `folder` could not be read when it was packed, but can be read now.
bool any_became_readable(const std::vector<UnreadableFile>& unreadable, const FolderImages& folder);

struct PackedImages {
  torch::Tensor images;                    ///< uint8 [N, channels, resolution, resolution], memory-mapped and read-only
  std::string hash;                        ///< hash_images(images)
  std::vector<UnreadableFile> unreadable;  ///< by ascending index; `images` contains the other files
  ImageTally tally;                        ///< the tally of these images; empty with as_in_0_9
  int deep_bits = 16;                      ///< see PixelOptions
};

struct PackOptions {
  PixelOptions pixels;  ///< channels must be 1 or 3
  /// The allowed fraction of damaged files. Unless it is 0, up to 5 damaged files are always allowed. Files that are
  /// too large are always allowed.
  double max_unreadable = 0;
  /// The folder whose images determine the scale of 16-bit images, so that a test split is scaled like the training
  /// split; nullptr for the folder that is packed.
  const FolderImages* range_of = nullptr;
  int fixed_bits = 0;  ///< see DataConfig; must be 0 with as_in_0_9
};

/// Returns the images of `folder` from the cache if they were packed from files with the same fingerprint and all bytes
/// match their SHA-256, unless a file that was unreadable at that time can be read now. Otherwise packs them on all
/// cores, in chunks of at most 256 files. If the process is stopped or killed, the next process continues after the
/// last complete chunk. If several processes need the same pack, one writes it and the others wait.
///
/// Throws DataError if more files are damaged than max_unreadable allows, or if all files are damaged or too large,
/// IoError if the cache cannot be written or the disk lacks space, and StoppedError on a stop signal.
PackedImages packed_images(const FolderImages& folder, const PackOptions& options);

}  // namespace slopegan
