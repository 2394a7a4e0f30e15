#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "statistics/summaries.h"

/// Tests and intervals of paired differences that are exact for a few pairs. A difference may be infinite: the pair in
/// which one side came to nothing (+∞: the first, −∞: the second).
namespace slopegan {

/// Up to so many pairs every one of the 2^n sign flips is looked at, above that so many random ones.
inline constexpr std::size_t most_exact_pairs = 20;
inline constexpr std::size_t random_flips = 99'999;

/// Two-sided p of the paired sign-flip (permutation) test: the share of the 2^n ways to flip the signs of the
/// differences whose |mean| is at least the observed one, the observed included (Fisher 1935, The Design of
/// Experiments, §21). Valid where the two sides of a pair could be exchanged under the null hypothesis, whatever the
/// distribution. Above most_exact_pairs (1 + hits) / (1 + random_flips).
///
/// An infinite difference is replaced by one of its sign that is larger than all finite ones together (1 + 2·Σ|d|), the
/// same for all: ranked last whatever the others are. The replacement depends on the magnitudes alone, so the test
/// stays exact. 1 for no differences.
double sign_flip_p(std::span<const double> differences);

/// The smallest p that sign_flip_p can give for `pairs`: 2^(1 − n), and 1 / (1 + random_flips) where that is more.
double smallest_sign_flip_p(std::size_t pairs);

/// The fewest pairs of which one of `comparisons` tests can be significant at `alpha` after Holm's correction.
std::size_t pairs_needed(std::size_t comparisons, double alpha);

/// p values adjusted for their number (Holm 1979): each at most `alpha` is significant with all together wrong in at
/// most `alpha` of the cases. In the order given.
std::vector<double> holm(std::span<const double> p);

/// Where the centre of the differences lies if they are symmetric about it: the sign-flip test turned round. The means
/// of all non-empty subsets cut the line into 2^n pieces that hold the centre equally often (Hartigan 1969, "Using
/// subsample values as typical values"), so the k-th lowest and highest hold it in 1 − 2k/2^n >= `confidence` of the
/// cases. Without limits where the pairs are too few, with random subsets above most_exact_pairs; infinite limits are
/// possible where differences are infinite, and the whole line where they are of both signs.
Interval symmetric_centre_interval(std::span<const double> differences, double confidence);

}  // namespace slopegan
