#pragma once

#include <vector>

namespace slopegan {

/// Are generated samples nearer to the training set than other real ones? Both arguments are nearest_distances
/// (metrics/neighbours.h) to the training set.
struct Memorisation {
  /// The distance within which 1 % of the test samples lie (at least one sample; ties included).
  double copy_distance = 0;
  /// Share of generated samples at copy_distance or nearer: about 0.01 for perfect samples, 1 for copies.
  double copied_share = 0;
  /// z of the Mann–Whitney test whether generated samples are farther from the training set than test samples, with
  /// mid-ranks for ties: about N(0, 1) for perfect samples, far below 0 for copies, far above for bad samples. This is
  /// C_T of Meehan, Chaudhuri and Dasgupta (2020) with one cell. 0 where all distances are equal.
  double copying_z = 0;
};

/// Neither may be empty or hold what is not finite: std::invalid_argument.
Memorisation memorisation(const std::vector<double>& generated_distances, const std::vector<double>& test_distances);

}  // namespace slopegan
