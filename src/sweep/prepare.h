#pragma once

#include <string>

#include "config/config.h"
#include "data/dataset.h"

namespace slopegan {

struct PreparedData {
  std::string hash;       ///< of the training images
  std::string extractor;  ///< name and hash of the primary extractor; empty if there are no metrics
};

/// Loads the data before any arm starts, so that errors are reported once instead of once per arm. Also computes the
/// shared part of the metrics with all cores and caches it. `logs_notes`: whether to log the notes on the data.
PreparedData prepare_data(const Config& config, bool logs_notes = true);

/// Throws DataError if `images`, which an arm is about to train on, are not those that its sweep prepared. `hash` is
/// PreparedData::hash.
void check_prepared(const Dataset& images, const std::string& hash);

/// Whether `message` is the message of an error from check_prepared. A sweep has access only to the messages of its
/// arms, not to their exceptions.
bool is_about_changed_images(const std::string& message);

}  // namespace slopegan
