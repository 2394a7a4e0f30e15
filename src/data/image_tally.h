#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "data/transform.h"
#include "images/image_file.h"

namespace slopegan {

/// Some of the images of a folder.
struct ImageCount {
  std::int64_t images = 0;
  std::string example;  ///< one file

  void add(const std::string& file);
};

/// What the images of a folder were, and what was done to them. Tells a person all that was changed.
struct ImageTally {
  ImageCount cropped, padded, stretched, enlarged;                   ///< see Fit
  double largest_cut = 0;                                            ///< share of the area of a cropped image
  std::int64_t smallest_side = 0;                                    ///< of the enlarged images
  ImageCount reduced, lacks_end, transparent, animated, cmyk, deep;  ///< see ImageFacts
  int largest_deep_value = 0;
  ImageCount complaints;  ///< images that are used although their library complains
  std::string complaint;  ///< the first one

  void add(const std::string& file, const ImageFacts& facts, const Fit& fit, std::int64_t resolution);
  void merge(const ImageTally& other);

  nlohmann::json to_json() const;
  /// Throws nlohmann::json::exception.
  static ImageTally from_json(const nlohmann::json& json);

  /// One line per kind of image. `images` is the number of all images, `background` is data.background, and `deep_bits`
  /// see DecodeOptions.
  std::vector<std::string> notes(std::int64_t images, std::int64_t resolution, const std::string& background,
                                 int deep_bits) const;
};

}  // namespace slopegan
