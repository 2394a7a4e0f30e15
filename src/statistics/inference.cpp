#include "statistics/inference.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "support/random.h"

namespace slopegan {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Replaces infinite differences with finite ones that have the same sign and outweigh all finite differences.
std::vector<double> with_finite_failures(std::span<const double> differences) {
  double sum = 0;
  for (const double d : differences) sum += std::isfinite(d) ? std::abs(d) : 0;
  std::vector<double> finite(differences.begin(), differences.end());
  for (double& d : finite) d = std::isfinite(d) ? d : std::copysign(1 + 2 * sum, d);
  return finite;
}

/// The number of the 2^k choices of signs for which |sum ± rest[0] ± … ± rest[k − 1]| reaches `threshold`.
std::size_t count_reaching(std::span<const double> rest, double sum, double threshold) {
  if (rest.empty()) return std::abs(sum) >= threshold ? 1 : 0;
  return count_reaching(rest.subspan(1), sum + rest[0], threshold) +
         count_reaching(rest.subspan(1), sum - rest[0], threshold);
}

/// Random bits. Each draw from the stream provides 32 of them.
class CoinFlips {
 public:
  explicit CoinFlips(std::string_view name) : stream_(0, name) {}
  bool next() {
    if (left_ == 0) {
      word_ = stream_.next();
      left_ = 32;
    }
    return (word_ >> --left_ & 1u) != 0;
  }

 private:
  RandomStream stream_;
  std::uint32_t word_ = 0;
  int left_ = 0;
};

double random_sign_flip_p(std::span<const double> differences, double threshold) {
  CoinFlips coin("sign flips");
  std::size_t reaching = 1;  // the observed signs
  for (std::size_t i = 0; i < random_flips; ++i) {
    double sum = 0;
    for (const double d : differences) sum += coin.next() ? d : -d;
    reaching += std::abs(sum) >= threshold;
  }
  return static_cast<double>(reaching) / static_cast<double>(random_flips + 1);
}

std::vector<double> all_subset_means(std::span<const double> values) {
  std::vector<double> means(std::size_t{1} << values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t bit = std::size_t{1} << i;
    for (std::size_t below = 0; below < bit; ++below) means[bit + below] = means[below] + values[i];
  }
  for (std::size_t subset = 1; subset < means.size(); ++subset) means[subset] /= std::popcount(subset);
  means.erase(means.begin());  // the empty subset
  return means;
}

std::vector<double> random_subset_means(std::span<const double> values) {
  CoinFlips coin("subsets");
  std::vector<double> means;
  while (means.size() < random_subsets) {
    double sum = 0;
    int count = 0;
    for (const double value : values) {
      if (!coin.next()) continue;
      sum += value;
      ++count;
    }
    if (count > 0) means.push_back(sum / count);
  }
  return means;
}

double log_factorial(std::size_t n) { return std::lgamma(static_cast<double>(n) + 1); }

/// P(at least `least` of n draws are among the lowest `rank` of n values).
double draws_reach(std::size_t n, std::size_t rank, std::size_t least) {
  if (rank == n) return 1;
  if (rank == 0) return 0;
  const double p = static_cast<double>(rank) / static_cast<double>(n);
  double probability = 0;
  for (std::size_t k = least; k <= n; ++k) {
    const double binomial = log_factorial(n) - log_factorial(k) - log_factorial(n - k);
    probability +=
        std::exp(binomial + static_cast<double>(k) * std::log(p) + static_cast<double>(n - k) * std::log1p(-p));
  }
  return probability;
}

/// The exact distribution of the median of a resample, as pairs (median, probability). `sorted` contains at least two
/// values.
std::vector<std::pair<double, double>> resampled_medians(const std::vector<double>& sorted) {
  const std::size_t n = sorted.size(), half = n / 2;
  std::vector<std::pair<double, double>> medians;
  for (std::size_t i = 1; i <= n; ++i) {
    // The probability that the value of rank i is the median if n is odd, or the lower of the two middle values if n is
    // even.
    const std::size_t least = n % 2 == 1 ? half + 1 : half;
    double equal = draws_reach(n, i, least) - draws_reach(n, i - 1, least);
    if (n % 2 == 0) {
      // The middle values have the ranks i < j if exactly half of the draws have a rank of at most i, the other half
      // have a rank of at least j, and both i and j occur.
      const auto power = [&](std::size_t ranks) {
        return std::pow(static_cast<double>(ranks) / static_cast<double>(n), static_cast<double>(half));
      };
      const double lower = std::exp(log_factorial(n) - 2 * log_factorial(half)) * (power(i) - power(i - 1));
      for (std::size_t j = i + 1; j <= n; ++j) {
        medians.emplace_back(median(std::array{sorted[i - 1], sorted[j - 1]}),
                             lower * (power(n - j + 1) - power(n - j)));
      }
      equal -= lower * power(n - i);
    }
    medians.emplace_back(sorted[i - 1], std::max(equal, 0.0));
  }
  return medians;
}

/// The number of infinite scores and the sum of the finite ones over the drawn trials. Every candidate has the same
/// number of trials, so comparing sums is equivalent to comparing means.
std::pair<std::size_t, double> total(const std::vector<double>& scores, const std::vector<std::uint32_t>& drawn) {
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

}  // namespace

double sign_flip_p(std::span<const double> differences) {
  if (differences.empty()) return 1;
  const auto finite = with_finite_failures(differences);
  double sum = 0, magnitude = 0;
  for (const double d : finite) {
    sum += d;
    magnitude += std::abs(d);
  }
  // Sums that differ from the observed one only by rounding count as equally extreme.
  const double threshold = std::abs(sum) - 1e-12 * magnitude;
  if (finite.size() > most_exact_pairs) return random_sign_flip_p(finite, threshold);
  // Flipping all signs does not change |sum|, so half of the flips suffice: those that keep the first sign.
  const auto rest = std::span(finite).subspan(1);
  return std::ldexp(static_cast<double>(count_reaching(rest, finite[0], threshold)), -static_cast<int>(rest.size()));
}

double smallest_sign_flip_p(std::size_t pairs) {
  if (pairs == 0) return 1;
  if (pairs > most_exact_pairs) return 1 / static_cast<double>(random_flips + 1);
  return std::ldexp(1.0, 1 - static_cast<int>(pairs));
}

std::optional<std::size_t> pairs_needed(std::size_t comparisons, double alpha) {
  if (!(alpha > 0)) throw std::invalid_argument("pairs_needed: alpha must be positive");
  for (std::size_t pairs = 1; pairs <= most_exact_pairs; ++pairs) {
    if (static_cast<double>(comparisons) * smallest_sign_flip_p(pairs) <= alpha) return pairs;
  }
  return std::nullopt;
}

std::vector<double> holm(std::span<const double> p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<double> adjusted(p.size());
  double largest = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    largest = std::max(largest, static_cast<double>(order.size() - rank) * p[order[rank]]);
    adjusted[order[rank]] = std::min(1.0, largest);
  }
  return adjusted;
}

Interval limits_of_verdict(Interval ratio, bool is_better) {
  if (is_better) return {std::min(ratio.low, 1.0), std::min(ratio.high, 1.0)};
  return {std::max(ratio.low, 1.0), std::max(ratio.high, 1.0)};
}

Interval limits_including_one(Interval ratio) { return {std::min(ratio.low, 1.0), std::max(ratio.high, 1.0)}; }

Interval symmetric_centre_interval(std::span<const double> differences, double confidence) {
  const bool failures_of_both_signs = std::count(differences.begin(), differences.end(), infinity) > 0 &&
                                      std::count(differences.begin(), differences.end(), -infinity) > 0;
  if (differences.empty() || failures_of_both_signs) return {-infinity, infinity};
  auto means = differences.size() > most_exact_pairs ? random_subset_means(differences) : all_subset_means(differences);
  const double outside = (1 - confidence) / 2 * static_cast<double>(means.size() + 1);
  // The tolerance keeps std::floor from returning one less if rounding makes a whole-number product slightly too small.
  const auto k = static_cast<std::ptrdiff_t>(std::floor(outside * (1 + 1e-12)));
  if (k < 1) return {-infinity, infinity};
  std::nth_element(means.begin(), means.begin() + (k - 1), means.end());
  const double low = means[static_cast<std::size_t>(k - 1)];
  std::nth_element(means.begin(), means.end() - k, means.end());
  return {low, *(means.end() - k)};
}

Interval bootstrap_median_interval(std::span<const double> values, double confidence) {
  if (values.size() < 2) return {-infinity, infinity};
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  auto medians = resampled_medians(sorted);
  std::sort(medians.begin(), medians.end());
  const double outside = (1 - confidence) / 2 * (1 - 1e-9);  // the tolerance allows for rounding errors in `below`
  const auto reaches = [&, below = 0.0](const std::pair<double, double>& median) mutable {
    return (below += median.second) >= outside;
  };
  return {std::find_if(medians.begin(), medians.end(), reaches)->first,
          std::find_if(medians.rbegin(), medians.rend(), reaches)->first};
}

std::vector<double> probability_best(const std::vector<std::vector<double>>& scores, const Resampling& resampling) {
  if (scores.empty() || scores[0].empty()) throw std::invalid_argument("probability_best: no candidates or no trials");
  const std::size_t trials = scores[0].size();
  for (const auto& candidate : scores) {
    if (candidate.size() != trials)
      throw std::invalid_argument("probability_best: each candidate needs one score per trial");
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
