#include "metrics/memorisation.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace slopegan {

namespace {

std::vector<double> sorted_distances(const std::vector<double>& distances) {
  if (distances.empty()) throw std::invalid_argument("memorisation needs at least one distance in each set");
  if (!std::all_of(distances.begin(), distances.end(), [](double distance) { return std::isfinite(distance); })) {
    throw std::invalid_argument("a distance is not finite");
  }
  std::vector<double> sorted = distances;
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

/// Returns the z-score of the Mann–Whitney statistic U, which is the number of pairs with a > b plus half the number of
/// pairs with a = b. `a` and `b` are ascending.
double mann_whitney_z(const std::vector<double>& a, const std::vector<double>& b) {
  const auto n = static_cast<double>(a.size()), m = static_cast<double>(b.size()), all = n + m;
  double u = 0, ties = 0;
  auto in_a = a.begin(), in_b = b.begin();
  while (in_a != a.end() || in_b != b.end()) {
    const double value = in_b == b.end() || (in_a != a.end() && *in_a < *in_b) ? *in_a : *in_b;
    const auto next_a = std::upper_bound(in_a, a.end(), value), next_b = std::upper_bound(in_b, b.end(), value);
    const auto equal_a = static_cast<double>(next_a - in_a), equal_b = static_cast<double>(next_b - in_b);
    u += equal_a * (static_cast<double>(in_b - b.begin()) + equal_b / 2);
    const double equal = equal_a + equal_b;
    ties += equal * (equal * equal - 1);
    in_a = next_a;
    in_b = next_b;
  }
  const double variance = n * m / 12 * (all + 1 - ties / (all * (all - 1)));
  return variance > 0 ? (u - n * m / 2) / std::sqrt(variance) : 0.0;
}

}  // namespace

Memorisation memorisation(const std::vector<double>& generated_distances, const std::vector<double>& test_distances) {
  const std::vector<double> generated = sorted_distances(generated_distances), test = sorted_distances(test_distances);
  // This distance covers the nearest 1 % of the test samples; their number is rounded up.
  const double copy_distance = test[(test.size() - 1) / 100];
  const auto copies = std::upper_bound(generated.begin(), generated.end(), copy_distance) - generated.begin();
  return {copy_distance, static_cast<double>(copies) / static_cast<double>(generated.size()),
          mann_whitney_z(generated, test)};
}

}  // namespace slopegan
