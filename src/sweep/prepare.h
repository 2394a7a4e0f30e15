#pragma once

#include <string>

#include "config/config.h"

namespace slopegan {

struct PreparedData {
  std::string hash;       ///< of the training images
  std::string extractor;  ///< name and hash of the primary extractor; empty if there are no metrics
};

/// Loads the data once before any arm starts, so that errors are reported once instead of once per arm, and the shared
/// part of the metrics is computed with all cores and cached. `logs_notes`: whether to log the notes on the data.
PreparedData prepare_data(const Config& config, bool logs_notes = true);

}  // namespace slopegan
