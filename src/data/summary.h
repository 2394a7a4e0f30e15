#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "config/config.h"
#include "data/dataset.h"

namespace slopegan {

/// Statistics of a split.
struct DatasetSummary {
  int lowest = 0, highest = 0;                        ///< smallest and largest byte
  double mean = 0, deviation = 0;                     ///< mean and standard deviation of all bytes, unscaled
  std::map<std::int64_t, std::int64_t> label_counts;  ///< number of images by label; empty if there are no labels
};

DatasetSummary summarize(const Dataset& dataset);

/// A warning if nearly all bytes lie in a small part of the range 0 to 255, for example because 12-bit images were read
/// as 16-bit images; otherwise "". Checks a few thousand images at most.
std::string range_warning(const Dataset& dataset);

/// A note that recommends augmentation if it is not configured and there are few training images; otherwise "".
std::string small_data_note(const Config& config, std::int64_t images);

/// The class name of a label, or the label itself as a number if the classes have no names.
std::string label_text(const Dataset& dataset, std::int64_t label);

/// Size, pixel statistics, labels, files, notes, warnings, unreadable files and hash of a split as indented lines below
/// the name of the split.
std::string summary_text(const Dataset& dataset, Split split);

}  // namespace slopegan
