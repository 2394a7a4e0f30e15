#pragma once

#include <optional>
#include <span>

/// Summary statistics of small samples. Values are finite unless noted.
namespace slopegan {

/// The closed interval [low, high]. A limit is infinite if the interval is unbounded on that side.
struct Interval {
  double low = 0;
  double high = 0;
};

/// The median. Values may be infinite. If the two middle values are −x and +x, the median is 0, even for infinite x.
/// Throws std::invalid_argument if there are no values.
double median(std::span<const double> values);

/// The mean. Throws std::invalid_argument if there are no values.
double mean(std::span<const double> values);

/// The unbiased variance, with divisor n − 1; std::nullopt for fewer than two values.
std::optional<double> sample_variance(std::span<const double> values);

/// Pearson's correlation; std::nullopt for fewer than three pairs, or if `a` or `b` is constant. Throws
/// std::invalid_argument if `a` and `b` differ in length.
std::optional<double> correlation(std::span<const double> a, std::span<const double> b);

/// Kendall's rank correlation τ-b (Kendall 1945), which corrects for ties; std::nullopt for fewer than two pairs, or if
/// `a` or `b` is constant. Infinite values are ranked like any others. Throws std::invalid_argument if `a` and `b`
/// differ in length.
std::optional<double> kendall_tau(std::span<const double> a, std::span<const double> b);

}  // namespace slopegan
