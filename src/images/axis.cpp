#include "images/axis.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "support/text.h"

namespace slopegan {

namespace {

/// Values outside these limits are not shown on logarithmic axes. Otherwise, the ratio of the ends of the range, with
/// their padding, could overflow.
constexpr double min_logarithmic_value = 1e-120, max_logarithmic_value = 1e120;

/// The smallest number of the form 1, 2 or 5 times a power of ten that divides `width` into at most about `count`
/// steps.
double round_step(double width, int count) {
  const double rough = width / std::max(count, 1), power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough * 0.999) return factor * power;
  }
  return 10 * power;
}

std::vector<double> linear_ticks(const Range& range, int count) {
  const double step = round_step(range.high - range.low, count);
  std::vector<double> ticks;
  const double first = std::ceil(range.low / step - 1e-9);
  // If the range is so narrow that neighbouring multiples of the step are the same number, the count ends the loop.
  for (int i = 0; i <= 2 * std::max(count, 1) && (first + i) * step <= range.high + 1e-9 * step; ++i) {
    ticks.push_back((first + i) * step + 0.0);  // adding 0.0 turns -0 into 0
  }
  return ticks;
}

std::vector<double> logarithmic_ticks(const Range& range, int count) {
  const double decades = std::log10(range.high / range.low);
  std::vector<double> factors = {1};
  if (decades < count / 2.0) factors = {1, 2, 5};
  const int every = std::max(1, static_cast<int>(std::ceil(decades / count)));
  std::vector<double> ticks;
  for (int power = static_cast<int>(std::floor(std::log10(range.low)));
       power <= static_cast<int>(std::ceil(std::log10(range.high))); ++power) {
    if (power % every != 0) continue;
    for (const double factor : factors) {
      const double value = factor * std::pow(10, power);
      if (value >= range.low * (1 - 1e-9) && value <= range.high * (1 + 1e-9)) ticks.push_back(value);
    }
  }
  return ticks;
}

/// The range of the values that can be shown; low > high if there are none.
Range tight_range(const std::vector<double>& values, bool logarithmic) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Range range{infinity, -infinity};
  const Axis axis{range, logarithmic};
  for (const double value : values) {
    if (!axis.can_show(value)) continue;
    range.low = std::min(range.low, value);
    range.high = std::max(range.high, value);
  }
  return range;
}

}  // namespace

Axis Axis::fit(const std::vector<double>& values, bool logarithmic) {
  Range range = tight_range(values, logarithmic);
  if (range.low > range.high) range = logarithmic ? Range{0.1, 10} : Range{0, 1};
  if (range.low == range.high) range.high += logarithmic ? 9 * range.low : std::max(1.0, 1e-6 * std::abs(range.low));
  return {range, logarithmic};
}

Axis Axis::fit_padded(const std::vector<double>& values, bool logarithmic) {
  const Range range = tight_range(values, logarithmic);
  if (range.low > range.high) return fit({}, logarithmic);
  if (logarithmic) {
    const double padding = std::max(std::pow(range.high / range.low, 0.06), 1.1);
    return {{range.low / padding, range.high * padding}, true};
  }
  const double width = range.high - range.low;
  const double padding = width > 0 ? 0.06 * width : std::max(0.1 * std::abs(range.low), 1e-6);
  const bool starts_at_zero = range.low >= 0 && range.low <= width;
  return {{starts_at_zero ? 0 : range.low - padding, range.high + padding}, false};
}

bool Axis::can_show(double value) const {
  if (logarithmic) return value >= min_logarithmic_value && value <= max_logarithmic_value;
  return std::isfinite(value);
}

double Axis::position(double value) const {
  if (logarithmic) return std::log(value / range.low) / std::log(range.high / range.low);
  return (value - range.low) / (range.high - range.low);
}

std::vector<double> Axis::ticks(int count) const {
  if (!logarithmic) return linear_ticks(range, count);
  auto ticks = logarithmic_ticks(range, count);
  // If the ends of the range differ by less than a factor of 5, logarithmic_ticks may return fewer than two ticks.
  return ticks.size() < 2 ? linear_ticks(range, count) : ticks;
}

std::string tick_text(double value) {
  const double size = std::abs(value);
  std::string text = size >= 1e6 && size < 1e12  ? format_text("{:.4g}M", value / 1e6)
                     : size >= 1e4 && size < 1e6 ? format_text("{:.4g}k", value / 1e3)
                                                 : format_text("{:.4g}", value);
  if (text.starts_with('-')) text.replace(0, 1, "−");
  return text;
}

}  // namespace slopegan
