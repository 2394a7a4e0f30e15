#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "data/dataset.h"

namespace slopegan {

/// What is in a split.
struct DatasetSummary {
  int lowest = 0, highest = 0;                        ///< bytes
  double mean = 0, deviation = 0;                     ///< of all bytes
  std::map<std::int64_t, std::int64_t> label_counts;  ///< images by label; empty without labels
};

DatasetSummary summarize(const Dataset& dataset);

/// The name of a label's class, or the label itself where the data has no names.
std::string label_text(const Dataset& dataset, std::int64_t label);

/// Size, pixels, labels, files (also those that cannot be read) and hash of a split for a person, several lines,
/// indented below the split's name.
std::string summary_text(const Dataset& dataset, Split split);

}  // namespace slopegan
