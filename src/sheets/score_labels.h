#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "images/sheet.h"
#include "sweep/arms.h"

namespace slopegan {

/// The scores in a sweep's sheet, and the best slopes. If there are no scores, `floor` and `legend` are empty.
struct ScoreLabels {
  using Key = std::pair<std::size_t, double>;  // condition and slope
  std::map<Key, std::string> slopes;           ///< "FD 12.3 ± 0.4 (3 seeds)"
  std::set<Key> best;                          ///< the slopes to mark
  std::string floor;                           ///< the score of the test images
  std::string legend;                          ///< sentences that explain the scores and the mark

  const std::string& of(const Arm& arm) const { return slopes.at({arm.condition, arm.negative_slope}); }

  /// Adds the score and the mark to the row of an arm.
  void add_to(SheetRow& row, const Arm& arm) const;

  /// `caption` and, on a new line, the legend.
  std::string explain(const std::string& caption) const;
};

/// Marks the slopes that the statistics of the sweep recommend, or, if they recommend none, those with the lowest mean
/// FD (see lowest_mean). With sweep.cross, slopes are marked in each condition.
ScoreLabels score_labels(const Config& config, const std::vector<Arm>& arms);

}  // namespace slopegan
