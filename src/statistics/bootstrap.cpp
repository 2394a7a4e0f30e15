#include "statistics/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "support/random.h"

namespace slopegan {

Interval bootstrap_median_interval(std::span<const double> values, double confidence, const Resampling& resampling) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (values.size() < 2 || resampling.count == 0) return {-infinity, infinity};
  RandomStream stream(resampling.seed, "bootstrap of a median");
  std::vector<double> drawn(values.size()), medians(resampling.count);
  for (double& result : medians) {
    for (double& value : drawn) value = values[stream.below(static_cast<std::uint32_t>(values.size()))];
    result = median(drawn);
  }
  std::sort(medians.begin(), medians.end());
  // Whole ranks, rounded outwards: between a finite and an infinite median there is nothing to interpolate.
  const double outside = (1 - confidence) / 2 * static_cast<double>(resampling.count - 1);
  const auto rank = static_cast<std::size_t>(std::floor(outside));
  return {medians[rank], medians[resampling.count - 1 - rank]};
}

/// Infinite scores, and the sum of the finite ones, of the drawn trials. The number drawn is the same for all, so that
/// sums compare as means do.
static std::pair<std::size_t, double> total(const std::vector<double>& scores,
                                            const std::vector<std::uint32_t>& drawn) {
  std::pair<std::size_t, double> sum{0, 0};
  for (const auto trial : drawn) {
    if (std::isinf(scores[trial])) {
      ++sum.first;
    } else {
      sum.second += scores[trial];
    }
  }
  return sum;
}

std::vector<double> probability_best(const std::vector<std::vector<double>>& scores, const Resampling& resampling) {
  if (scores.empty() || scores[0].empty()) throw std::invalid_argument("probability_best: nothing to compare");
  const std::size_t trials = scores[0].size();
  for (const auto& candidate : scores) {
    if (candidate.size() != trials) throw std::invalid_argument("probability_best: a score for each trial is needed");
  }
  RandomStream stream(resampling.seed, "bootstrap of the best");
  std::vector<std::uint32_t> drawn(trials);
  std::vector<std::pair<std::size_t, double>> totals(scores.size());
  std::vector<double> wins(scores.size());
  for (std::size_t i = 0; i < resampling.count; ++i) {
    for (auto& trial : drawn) trial = stream.below(static_cast<std::uint32_t>(trials));
    for (std::size_t c = 0; c < scores.size(); ++c) totals[c] = total(scores[c], drawn);
    const auto best = *std::min_element(totals.begin(), totals.end());
    const auto equal = static_cast<double>(std::count(totals.begin(), totals.end(), best));
    for (std::size_t c = 0; c < scores.size(); ++c) wins[c] += totals[c] == best ? 1 / equal : 0;
  }
  for (double& share : wins) share /= static_cast<double>(resampling.count);
  return wins;
}

}  // namespace slopegan
