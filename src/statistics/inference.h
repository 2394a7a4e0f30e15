#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "statistics/summaries.h"

/// Tests and intervals for paired differences over a few seeds. A difference is infinite if one side of the pair
/// failed: +∞ if it was the first, −∞ if it was the second.
namespace slopegan {

// --- Permutation tests: exact for a few pairs -----------------------------------------------------------------------

/// Up to this number of pairs, all 2^n sign flips are enumerated; above it, `random_flips` random ones are drawn.
inline constexpr std::size_t most_exact_pairs = 20;
/// Chosen so that the smallest possible p-value is the same for more than most_exact_pairs pairs as for
/// most_exact_pairs pairs. More pairs therefore never prevent a result from being significant.
inline constexpr std::size_t random_flips = (std::size_t{1} << (most_exact_pairs - 1)) - 1;

/// The two-sided p-value of the paired sign-flip (permutation) test: the fraction of the 2^n sign flips, including the
/// observed signs, for which |mean| of the differences is at least as large as observed (Fisher 1935, The Design of
/// Experiments, §21). It is valid for any distribution if the two sides of a pair are exchangeable under the null
/// hypothesis. For more than most_exact_pairs pairs, it is (1 + h) / (1 + random_flips), where h is the number of
/// random flips for which |mean| is at least as large as observed.
///
/// An infinite difference is replaced with ±(1 + 2·Σ|d|), where the sum is over the finite differences. The replacement
/// has the same sign and outweighs all finite differences. It depends only on their magnitudes, so the test stays
/// exact. Returns 1 if there are no differences.
double sign_flip_p(std::span<const double> differences);

/// The smallest p-value that sign_flip_p can return for n = `pairs`: 2^(1 − n), or 1 / (1 + random_flips) if n exceeds
/// most_exact_pairs.
double smallest_sign_flip_p(std::size_t pairs);

/// The smallest number of pairs with which one of `comparisons` tests can be significant at `alpha` after Holm's
/// correction; std::nullopt if no number of pairs is enough. Throws std::invalid_argument if alpha is not positive.
std::optional<std::size_t> pairs_needed(std::size_t comparisons, double alpha);

/// The p-values adjusted for multiple testing (Holm 1979), in the order of `p`. If every hypothesis whose adjusted p is
/// at most `alpha` is rejected, the probability of one or more wrong rejections is at most `alpha`.
std::vector<double> holm(std::span<const double> p);

/// Cuts the limits of a ratio at 1 so that they agree with a significant verdict. Holm's correction may reject equality
/// although the simultaneous interval contains 1, because the correction becomes smaller after each rejection.
Interval limits_of_verdict(Interval ratio, bool is_better);

/// Extends the limits of a ratio to include 1, so that they agree with a verdict that is not significant. For more than
/// most_exact_pairs pairs, the test and the interval use different random draws, so the interval may exclude 1 although
/// the test does not reject equality.
Interval limits_including_one(Interval ratio);

inline constexpr std::size_t random_subsets = 99'999;

/// A confidence interval for the centre of symmetrically distributed differences, obtained by inverting the sign-flip
/// test. The means of all non-empty subsets divide the line into 2^n intervals that contain the centre with equal
/// probability (Hartigan 1969, "Using subsample values as typical values"). The interval from the k-th lowest to the
/// k-th highest mean therefore has coverage 1 − 2k/2^n; k is as large as possible with coverage >= `confidence`.
///
/// The interval is unbounded if there are too few pairs, or if there are infinite differences of both signs. A limit
/// may be infinite if a difference is infinite. For more than most_exact_pairs pairs, random_subsets random subsets are
/// drawn.
Interval symmetric_centre_interval(std::span<const double> differences, double confidence);

// --- The bootstrap (Efron 1979): seeds drawn with replacement -------------------------------------------------------

struct Resampling {
  std::size_t count = 10'000;  ///< number of resamples
  std::uint64_t seed = 0;
};

/// The percentile bootstrap interval for the median of `values`, which may be infinite. It is unbounded for fewer than
/// two values. The number of draws at or below each rank is binomial, which gives the distribution of a
/// resample's median, so no random resamples are drawn. BCa is not used because its acceleration is a jackknife
/// estimate, which is inconsistent for the median.
///
/// The interval is too narrow for small samples. For odd n and any continuous distribution, the exact coverage of a
/// 95 % interval follows from the binomial number of values below the true median: 75 % (n = 3), 93.8 % (5), 87.5 %
/// (7), 96.1 % (9), 93.5 % (11). For even n and normally distributed values, the measured coverage is 88 % (n =
/// 4), 93.5 % (6), 93 % (8), 94.4 % (10).
Interval bootstrap_median_interval(std::span<const double> values, double confidence);

/// The fraction of resamples in which each candidate is the best: the one with the fewest infinite scores and, among
/// these, the lowest mean. Ties are split equally. `scores` is [candidate][trial]; lower is better, and +∞ is worst.
/// Throws std::invalid_argument if there are no candidates or no trials, or if the lists differ in length.
std::vector<double> probability_best(const std::vector<std::vector<double>>& scores, const Resampling& resampling);

}  // namespace slopegan
