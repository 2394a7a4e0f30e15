#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "data/transform.h"
#include "images/image_file.h"

namespace slopegan {

/// The number of images that have a certain property, and one of them as an example.
struct ImageCount {
  std::int64_t images = 0;
  std::string example;  ///< one of the files

  void add(const std::string& file);
};

/// The properties of the images in a folder and the changes made to them, so that the user can be told about every
/// change.
struct ImageTally {
  ImageCount cropped, padded, stretched, enlarged;  ///< see Fit
  double largest_cut = 0;                           ///< largest fraction of its area that an image lost to cropping
  std::int64_t smallest_side = 0;                   ///< smallest side of the enlarged images
  ImageCount reduced, lacks_end, transparent, animated, cmyk, deep;  ///< see ImageFacts
  int largest_deep_value = 0;
  ImageCount complaints;  ///< images that are used although the decoding library warned about them
  std::string complaint;  ///< the first of these warnings

  void add(const std::string& file, const ImageFacts& facts, const Fit& fit, std::int64_t resolution);
  void merge(const ImageTally& other);

  nlohmann::json to_json() const;
  /// Throws nlohmann::json::exception.
  static ImageTally from_json(const nlohmann::json& json);

  /// Returns notes about the properties and changes that occur, one line each. `images` is the total number of
  /// images, and `background` is data.background. For `deep_bits`, see DecodeOptions.
  std::vector<std::string> notes(std::int64_t images, std::int64_t resolution, const std::string& background,
                                 int deep_bits) const;
};

}  // namespace slopegan
