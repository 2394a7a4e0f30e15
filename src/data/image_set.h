#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "data/dataset.h"

namespace slopegan {

/// The resolutions at which two sets of images can be compared.
inline constexpr std::array<std::int64_t, 5> comparison_resolutions = {16, 32, 64, 128, 256};

/// A set of images that is compared with another: a folder of image files, which is packed into the cache as in
/// training (data/packed_images.h), or an npz file (data/npz.cpp), such as one written by `slopegan generate`. Labels
/// are ignored. Unusable images cause a DataError that names the file or the folder.
class ImageSet {
 public:
  /// Whether `path` is a folder or a zip archive, such as an npz file.
  static bool is_at(const std::filesystem::path& path);

  /// Images are fitted and composited on a background as `like` specifies, except that ImageFit::automatic depends on
  /// the kind of data at `path`.
  ImageSet(const std::filesystem::path& path, const DataConfig& like);

  /// The largest of comparison_resolutions that exceeds neither the median height nor the median width of the images,
  /// or the smallest of comparison_resolutions if there is none.
  std::int64_t natural_resolution() const;

  /// `channels` is 0, 1 or 3; 0 selects 1 if all images are gray and 3 otherwise. Gray images are converted to RGB if
  /// needed. Throws DataError for coloured images if gray ones are requested. Logs the notes and warnings about the
  /// images.
  std::shared_ptr<const Dataset> load(std::int64_t channels, std::int64_t resolution) const;

 private:
  std::shared_ptr<const Dataset> stored(std::int64_t resolution) const;

  DataConfig config_;
  std::shared_ptr<const Dataset> arrays_;  ///< the images of an npz file; nullptr for a folder
};

}  // namespace slopegan
