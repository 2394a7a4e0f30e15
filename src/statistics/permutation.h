#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "statistics/summaries.h"

/// The exact two-sample permutation test on the difference of means, and the corresponding confidence interval. The two
/// groups must have the same size: with unequal sizes, the error rate is too high if the smaller group varies more.
namespace slopegan {

/// The largest group size. The 2^n subset sums of each group are kept in memory.
inline constexpr std::size_t largest_permuted_group = 14;

struct PermutationTest {
  double difference = 0;  ///< mean(group) − mean(control)
  /// The fraction of the C(2n, n) labellings of the pooled values for which the absolute difference of means is at
  /// least the observed one. It is a valid p-value if the values are exchangeable under the null hypothesis.
  double p = 1;
  /// The shifts δ for which the test of group − δ against control has p > `level`: a confidence interval with coverage
  /// 1 − `level` for a shift between the groups. It contains 0 if and only if p > `level`, and is unbounded if no test
  /// with this group size can reject at `level`.
  Interval interval;
};

/// Throws std::invalid_argument if the groups are empty, differ in size, are larger than largest_permuted_group, or
/// contain a value that is not finite.
///
/// The interval is exact. p changes at the shifts that equal the difference between the mean of k values of `group` and
/// the mean of k values of `control`, for all subsets and all k < n. The limits are order statistics of these shifts.
PermutationTest permutation_test(std::span<const double> control, std::span<const double> group, double level);

/// The smallest p-value that the test can return with n values per group: 2 / C(2n, n).
double smallest_permutation_p(std::int64_t n);

/// The smallest group size with which the test can reject at `level`.
std::int64_t smallest_permuted_group(double level);

}  // namespace slopegan
