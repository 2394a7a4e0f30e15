#pragma once

#include <optional>
#include <span>

/// Summary numbers of small samples. Values are finite unless said otherwise.
namespace slopegan {

/// From `low` to `high`, both included; infinite where there is no limit.
struct Interval {
  double low = 0;
  double high = 0;
};

/// Infinite values are allowed; where the middle lies between −x and +x, infinite or not, it is 0. Throws
/// std::invalid_argument for no values.
double median(std::span<const double> values);

/// Throws std::invalid_argument for no values.
double mean(std::span<const double> values);

/// With n − 1. Nothing for fewer than two values.
std::optional<double> sample_variance(std::span<const double> values);

/// Pearson's correlation. Nothing for fewer than three pairs, or where one side is constant. Throws
/// std::invalid_argument for sides of different length.
std::optional<double> correlation(std::span<const double> a, std::span<const double> b);

/// Kendall's rank correlation τ-b (Kendall 1945), which allows for ties; infinite values are ranks like any other.
/// Nothing where one side is constant or has fewer than two values. Throws std::invalid_argument for sides of different
/// length.
std::optional<double> kendall_tau(std::span<const double> a, std::span<const double> b);

}  // namespace slopegan
