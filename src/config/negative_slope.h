#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "layers/slope_schedule.h"

namespace slopegan {

/// The negative slopes of a network: one number for all its activations, one number a layer (input side first), or a
/// schedule for all.
struct NegativeSlope {
  std::vector<double> values = {0.2};
  std::optional<SlopeSchedule> schedule;

  NegativeSlope() = default;
  explicit NegativeSlope(double value) : values{value} {}

  /// The slope of activation `layer` (from 0) after `images` images seen.
  double at(std::size_t layer, std::int64_t images) const {
    if (schedule) return schedule->at(images);
    return values.size() == 1 ? values.front() : values.at(layer);
  }
  bool operator==(const NegativeSlope&) const = default;
};

}  // namespace slopegan
