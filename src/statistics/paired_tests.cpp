#include "statistics/paired_tests.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string_view>

#include "support/random.h"

namespace slopegan {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

std::vector<double> with_finite_losses(std::span<const double> differences) {
  double sum = 0;
  for (const double d : differences) sum += std::isfinite(d) ? std::abs(d) : 0;
  std::vector<double> finite(differences.begin(), differences.end());
  for (double& d : finite) d = std::isfinite(d) ? d : std::copysign(1 + 2 * sum, d);
  return finite;
}

/// In how many of the 2^k ways to sign `rest` |sum ± rest[0] ± …| reaches `threshold`.
std::size_t count_reaching(std::span<const double> rest, double sum, double threshold) {
  if (rest.empty()) return std::abs(sum) >= threshold ? 1 : 0;
  return count_reaching(rest.subspan(1), sum + rest[0], threshold) +
         count_reaching(rest.subspan(1), sum - rest[0], threshold);
}

/// Random bits, one at a time.
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
  means.erase(means.begin());  // the empty one
  return means;
}

std::vector<double> random_subset_means(std::span<const double> values) {
  CoinFlips coin("subsets");
  std::vector<double> means;
  while (means.size() < random_flips) {
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

}  // namespace

double sign_flip_p(std::span<const double> differences) {
  if (differences.empty()) return 1;
  const auto finite = with_finite_losses(differences);
  double sum = 0, magnitude = 0;
  for (const double d : finite) {
    sum += d;
    magnitude += std::abs(d);
  }
  // Flips that differ from the observed one by rounding alone are as extreme as it is.
  const double threshold = std::abs(sum) - 1e-12 * magnitude;
  if (finite.size() > most_exact_pairs) return random_sign_flip_p(finite, threshold);
  // By symmetry half of the flips are enough: those that keep the first sign.
  const auto rest = std::span(finite).subspan(1);
  return std::ldexp(static_cast<double>(count_reaching(rest, finite[0], threshold)), -static_cast<int>(rest.size()));
}

double smallest_sign_flip_p(std::size_t pairs) {
  if (pairs == 0) return 1;
  if (pairs > most_exact_pairs) return 1 / static_cast<double>(random_flips + 1);
  return std::ldexp(1.0, 1 - static_cast<int>(pairs));
}

std::size_t pairs_needed(std::size_t comparisons, double alpha) {
  std::size_t pairs = 1;
  while (std::ldexp(static_cast<double>(comparisons), 1 - static_cast<int>(pairs)) > alpha) ++pairs;
  return pairs;
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

Interval symmetric_centre_interval(std::span<const double> differences, double confidence) {
  const bool both_lost = std::count(differences.begin(), differences.end(), infinity) > 0 &&
                         std::count(differences.begin(), differences.end(), -infinity) > 0;
  if (differences.empty() || both_lost) return {-infinity, infinity};
  auto means = differences.size() > most_exact_pairs ? random_subset_means(differences) : all_subset_means(differences);
  const double outside = (1 - confidence) / 2 * static_cast<double>(means.size() + 1);
  const auto k = static_cast<std::ptrdiff_t>(std::floor(outside * (1 + 1e-12)));  // 0.05 / 2 · 40 is 1, not below it
  if (k < 1) return {-infinity, infinity};
  std::nth_element(means.begin(), means.begin() + (k - 1), means.end());
  const double low = means[static_cast<std::size_t>(k - 1)];
  std::nth_element(means.begin(), means.end() - k, means.end());
  return {low, *(means.end() - k)};
}

}  // namespace slopegan
