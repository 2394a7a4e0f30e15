#pragma once

#include <vector>

namespace slopegan {

/// Measures whether generated samples are closer to the training set than other real samples are.
struct Memorisation {
  /// The distance within which 1 % of the test samples lie (at least one sample, including ties).
  double copy_distance = 0;
  /// The fraction of generated samples within copy_distance: about 0.01 for perfect samples, 1 for copies.
  double copied_share = 0;
  /// The z-score of the Mann–Whitney test of whether generated samples are farther from the training set than test
  /// samples are, with mid-ranks for ties: about N(0, 1) for perfect samples, far below 0 for copies, far above 0 for
  /// bad samples. This is the C_T of Meehan, Chaudhuri and Dasgupta (2020) with one cell. It is 0 if all distances are
  /// equal.
  double copying_z = 0;
};

/// Both arguments contain distances to the training set, as computed by nearest_distances (metrics/neighbours.h).
/// Throws std::invalid_argument if one of them is empty or contains a value that is not finite.
Memorisation memorisation(const std::vector<double>& generated_distances, const std::vector<double>& test_distances);

}  // namespace slopegan
