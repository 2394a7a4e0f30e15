#include "statistics/permutation.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <queue>
#include <stdexcept>
#include <vector>

namespace slopegan {

namespace {

/// The sums of all subsets of a group, by the number of values in the subset. Each list is in ascending order.
using SubsetSums = std::vector<std::vector<double>>;

SubsetSums subset_sums(std::span<const double> values) {
  std::vector<double> sums(std::size_t{1} << values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t bit = std::size_t{1} << i;
    for (std::size_t below = 0; below < bit; ++below) sums[bit + below] = sums[below] + values[i];
  }
  SubsetSums by_size(values.size() + 1);
  for (std::size_t subset = 0; subset < sums.size(); ++subset) {
    by_size[static_cast<std::size_t>(std::popcount(subset))].push_back(sums[subset]);
  }
  for (auto& list : by_size) std::sort(list.begin(), list.end());
  return by_size;
}

/// The number of pairs (a, b) of elements of two ascending lists with a + b >= `limit`.
std::size_t count_sums_from(double limit, const std::vector<double>& first, const std::vector<double>& second) {
  std::size_t count = 0, below = second.size();
  for (const double a : first) {
    while (below > 0 && a + second[below - 1] >= limit) --below;
    count += second.size() - below;
  }
  return count;
}

/// The i-th largest sum of k values of one group minus the j-th smallest sum of k values of the other, divided by k.
/// The indices i and j start at 0.
struct MeanDifference {
  double value = 0;
  std::size_t k = 0, i = 0, j = 0;
  bool operator<(const MeanDifference& other) const { return value < other.value; }
};

/// The `rank`-th largest difference (rank = 1, 2, …) between the means of proper subsets of two groups, where both
/// subsets have the same size. The largest remaining difference is taken from a queue, and its neighbours in the sorted
/// lists are added to the queue.
double largest_mean_difference(const SubsetSums& high, const SubsetSums& low, std::size_t rank) {
  const auto difference = [&](std::size_t k, std::size_t i, std::size_t j) {
    return MeanDifference{(*(high[k].end() - 1 - static_cast<std::ptrdiff_t>(i)) - low[k][j]) / static_cast<double>(k),
                          k, i, j};
  };
  std::priority_queue<MeanDifference> queue;
  for (std::size_t k = 1; k + 1 < high.size(); ++k) queue.push(difference(k, 0, 0));
  for (;;) {
    const auto largest = queue.top();
    if (--rank == 0) return largest.value;
    queue.pop();
    const auto [value, k, i, j] = largest;
    if (j + 1 < low[k].size()) queue.push(difference(k, i, j + 1));
    if (j == 0 && i + 1 < high[k].size()) queue.push(difference(k, i + 1, 0));
  }
}

void check_groups(std::span<const double> control, std::span<const double> group) {
  const auto is_finite = [](double value) { return std::isfinite(value); };
  if (control.empty() || control.size() != group.size() || control.size() > largest_permuted_group ||
      !std::all_of(control.begin(), control.end(), is_finite) || !std::all_of(group.begin(), group.end(), is_finite)) {
    throw std::invalid_argument("permutation_test: two groups of equal size with 1 to 14 finite values are required");
  }
}

double number_of_labelings(std::int64_t n) {
  double labelings = 1;
  for (std::int64_t i = 1; i <= n; ++i) labelings *= static_cast<double>(n + i) / static_cast<double>(i);
  return std::round(labelings);
}

/// The interval of shifts that the test does not reject. For a shift outside the interval, at most a fraction `level`
/// of the labellings, including the observed one and its complement, is at least as extreme as the observed one.
Interval shift_interval(const SubsetSums& control, const SubsetSums& group, double level) {
  const auto n = static_cast<std::int64_t>(group.size()) - 1;
  // Half of the labellings, because a labelling and its complement are equally extreme. The tolerance keeps std::floor
  // from returning one less if rounding makes a whole-number product slightly too small.
  const double half = number_of_labelings(n) / 2;
  const auto rank = static_cast<std::size_t>(std::floor(std::min(level, 1.0) * half * (1 + 1e-12)));
  constexpr double unbounded = std::numeric_limits<double>::infinity();
  if (rank == 0) return {-unbounded, unbounded};
  if (static_cast<double>(rank) >= half) {
    const double difference = (group.back()[0] - control.back()[0]) / static_cast<double>(n);
    return {difference, difference};
  }
  return {-largest_mean_difference(control, group, rank), largest_mean_difference(group, control, rank)};
}

}  // namespace

PermutationTest permutation_test(std::span<const double> control, std::span<const double> group, double level) {
  check_groups(control, group);
  const auto of_control = subset_sums(control), of_group = subset_sums(group);
  const std::size_t n = group.size();
  const double total = of_group[n][0] + of_control[n][0], difference = of_group[n][0] - of_control[n][0];
  double magnitude = 0;
  for (const auto values : {control, group}) {
    for (const double value : values) magnitude += std::abs(value);
  }
  const double rounding = 1e-12 * magnitude;  // sums that differ by less count as equal
  // If the values labelled as the group have the sum A, the difference of the sums is A − (total − A). The
  // complementary labelling is equally extreme, so counting one side suffices.
  std::size_t reaching = 0;
  for (std::size_t k = 0; k <= n; ++k) {
    reaching += count_sums_from((total + std::abs(difference)) / 2 - rounding, of_control[n - k], of_group[k]);
  }
  PermutationTest test;
  test.difference = difference / static_cast<double>(n);
  test.p = std::min(1.0, 2 * static_cast<double>(reaching) / number_of_labelings(static_cast<std::int64_t>(n)));
  test.interval = shift_interval(of_control, of_group, level);
  // If the test does not reject, the interval must contain 0, even if rounding errors move a limit past 0.
  if (test.p > level * (1 + 1e-12)) {
    test.interval.low = std::min(test.interval.low, 0.0);
    test.interval.high = std::max(test.interval.high, 0.0);
  }
  return test;
}

double smallest_permutation_p(std::int64_t n) { return 2 / number_of_labelings(n); }

std::int64_t smallest_permuted_group(double level) {
  std::int64_t n = 1;
  while (smallest_permutation_p(n) > level * (1 + 1e-12)) ++n;
  return n;
}

}  // namespace slopegan
