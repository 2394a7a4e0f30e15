#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "statistics/summaries.h"

/// The bootstrap (Efron 1979): what another set of seeds might have shown, by drawing seeds with replacement.
namespace slopegan {

struct Resampling {
  std::size_t count = 10'000;
  std::uint64_t seed = 0;
};

/// Percentile interval of the median of `values` (infinite ones allowed); without limits for fewer than two. The
/// percentile method, because BCa's acceleration is a jackknife, which fails for the median.
///
/// It is too short for a few values. A 95 % interval holds the true median of a continuous distribution in 75 % (n =
/// 3), 93.8 % (5), 87.5 % (7), 96.1 % (9), 93.5 % (11) of the cases: exact, by the binomial distribution of the ranks
/// that it ends at. Measured for even numbers of normal values: 88 % (n = 4), 93.5 % (6), 93 % (8), 94.4 % (10).
Interval bootstrap_median_interval(std::span<const double> values, double confidence, const Resampling& resampling);

/// How often each candidate is the best when the trials are drawn anew: the one with the fewest infinite scores, and
/// among these with the lowest mean; candidates that are equal share. scores[candidate][trial]; lower is better, +∞ is
/// worst. Throws std::invalid_argument for no candidates or trials, or lists of different length.
std::vector<double> probability_best(const std::vector<std::vector<double>>& scores, const Resampling& resampling);

}  // namespace slopegan
