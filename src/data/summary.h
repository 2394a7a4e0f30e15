#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "data/dataset.h"

namespace slopegan {

/// Statistics of a split.
struct DatasetSummary {
  int lowest = 0, highest = 0;                        ///< values of bytes
  double mean = 0, deviation = 0;                     ///< of all bytes, unscaled
  std::map<std::int64_t, std::int64_t> label_counts;  ///< number of images by label; empty without labels
};

DatasetSummary summarize(const Dataset& dataset);

/// The class name of a label, or the label itself as a number if the classes have no names.
std::string label_text(const Dataset& dataset, std::int64_t label);

/// Size, pixel statistics, labels, files (including unreadable ones) and hash of a split as indented lines below the
/// name of the split.
std::string summary_text(const Dataset& dataset, Split split);

}  // namespace slopegan
