#include "report/axis.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "support/text.h"

namespace slopegan {

namespace {

/// The round step (1, 2 or 5 times a power of ten) that cuts `width` into about `count` parts.
double round_step(double width, int count) {
  const double rough = width / count, power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (rough <= factor * power) return factor * power;
  }
  return 10 * power;
}

std::vector<Tick> linear_ticks(const Range& range, int count) {
  const double step = round_step(range.high - range.low, count);
  std::vector<Tick> found;
  const double first = std::ceil(range.low / step - 1e-9), last = std::floor(range.high / step + 1e-9);
  for (double i = first; i <= last; ++i) {
    const double value = i == 0 ? 0 : i * step;
    found.push_back({value, tick_text(value)});
  }
  return found;
}

/// 1, 2 and 5 of each decade, or fewer where there are many decades.
std::vector<Tick> logarithmic_ticks(const Range& range, int count) {
  const double decades = std::log10(range.high / range.low);
  std::vector<double> factors = {1};
  if (decades < count / 2.0) factors = {1, 2, 5};
  const int every = std::max(1, static_cast<int>(std::ceil(decades / count)));
  std::vector<Tick> found;
  for (int power = static_cast<int>(std::floor(std::log10(range.low)));
       power <= static_cast<int>(std::ceil(std::log10(range.high))); ++power) {
    if (power % every != 0) continue;
    for (const double factor : factors) {
      const double value = factor * std::pow(10, power);
      if (value >= range.low * (1 - 1e-9) && value <= range.high * (1 + 1e-9)) {
        found.push_back({value, tick_text(value)});
      }
    }
  }
  return found;
}

}  // namespace

Range range_of(const std::vector<double>& values, bool logarithmic) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Range range{infinity, -infinity};
  for (const double value : values) {
    if (!std::isfinite(value) || (logarithmic && value < 1e-300)) continue;
    range.low = std::min(range.low, value);
    range.high = std::max(range.high, value);
  }
  if (range.low > range.high) return logarithmic ? Range{0.1, 10} : Range{0, 1};
  if (logarithmic) {
    const double air = std::max(std::pow(range.high / range.low, 0.06), 1.1);
    return {range.low / air, range.high * air};
  }
  const double width = range.high - range.low;
  const double air = width > 0 ? 0.06 * width : std::max(0.1 * std::abs(range.low), 1e-6);
  // What starts near 0 starts at 0.
  if (range.low >= 0 && range.low <= width) return {0, range.high + air};
  return {range.low - air, range.high + air};
}

double position(const Range& range, bool logarithmic, double value) {
  if (logarithmic) return std::log(value / range.low) / std::log(range.high / range.low);
  return (value - range.low) / (range.high - range.low);
}

std::vector<Tick> ticks(const Range& range, bool logarithmic, int count) {
  auto found = logarithmic ? logarithmic_ticks(range, count) : linear_ticks(range, count);
  // Less than an octave or so may hold no round value of the logarithmic kind.
  return logarithmic && found.size() < 2 ? linear_ticks(range, count) : found;
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
