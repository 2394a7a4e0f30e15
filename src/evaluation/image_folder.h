#pragma once

#include <cstdint>
#include <filesystem>

#include "data/dataset.h"

namespace slopegan {

/// The PNG, JPEG and WebP files in a directory and those below it, in the order of their paths, brought to resolution ×
/// resolution as training does it, without labels. `channels` is 1 or 3, or 0 for 1 where all images are gray and 3
/// otherwise; gray images become RGB where need be. Throws DataError: no directory, no image in it, an image that is
/// damaged, or a coloured one where gray ones are asked for.
Dataset load_image_folder(const std::filesystem::path& directory, std::int64_t channels, std::int64_t resolution);

}  // namespace slopegan
