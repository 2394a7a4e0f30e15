#include "statistics/summaries.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <stdexcept>
#include <vector>

namespace slopegan {

double median(std::span<const double> values) {
  if (values.empty()) throw std::invalid_argument("median: no values");
  std::vector<double> sorted(values.begin(), values.end());
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  if (sorted.size() % 2 == 1) return *middle;
  const double below = *std::max_element(sorted.begin(), middle);
  return below == -*middle ? 0 : (below + *middle) / 2;
}

double mean(std::span<const double> values) {
  if (values.empty()) throw std::invalid_argument("mean: no values");
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// False if a value is infinite, because its deviation from the mean is undefined.
static bool is_constant(std::span<const double> values) {
  const auto differ = [](double a, double b) { return !(b - a == 0); };
  return std::ranges::adjacent_find(values, differ) == values.end();
}

/// Σ (a − mean a)(b − mean b). Exactly 0 if one of the sequences is constant; the formula may give another result,
/// because the mean is rounded.
static double product_of_deviations(std::span<const double> a, std::span<const double> b) {
  if (is_constant(a) || is_constant(b)) return 0;
  const double mean_a = mean(a), mean_b = mean(b);
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - mean_a) * (b[i] - mean_b);
  return sum;
}

std::optional<double> sample_variance(std::span<const double> values) {
  if (values.size() < 2) return std::nullopt;
  return product_of_deviations(values, values) / static_cast<double>(values.size() - 1);
}

static void check_lengths(std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size()) throw std::invalid_argument("the two sequences differ in length");
}

std::optional<double> correlation(std::span<const double> a, std::span<const double> b) {
  check_lengths(a, b);
  if (a.size() < 3) return std::nullopt;
  const double scale = std::sqrt(product_of_deviations(a, a) * product_of_deviations(b, b));
  if (!(scale > 0)) return std::nullopt;
  return product_of_deviations(a, b) / scale;
}

std::optional<double> kendall_tau(std::span<const double> a, std::span<const double> b) {
  check_lengths(a, b);
  const auto order = [](double x, double y) { return x < y ? -1 : x > y ? 1 : 0; };
  std::int64_t concordant_less_discordant = 0, untied_a = 0, untied_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = i + 1; j < a.size(); ++j) {
      const int order_a = order(a[i], a[j]), order_b = order(b[i], b[j]);
      concordant_less_discordant += order_a * order_b;
      untied_a += order_a != 0;
      untied_b += order_b != 0;
    }
  }
  if (untied_a == 0 || untied_b == 0) return std::nullopt;
  return static_cast<double>(concordant_less_discordant) /
         std::sqrt(static_cast<double>(untied_a) * static_cast<double>(untied_b));
}

}  // namespace slopegan
