#pragma once

#include <string>
#include <vector>

/// Where values lie along a chart's side, and which of them are written there.
namespace slopegan {

struct Range {
  double low = 0;
  double high = 1;
};

struct Tick {
  double value = 0;
  std::string text;
};

/// Grows so that finite `values` lie inside with some air; a logarithmic one looks at positive values only. One value,
/// or none, still gives a range of some width.
Range range_of(const std::vector<double>& values, bool logarithmic);

/// Where `value` lies in the range: 0 at `low`, 1 at `high`.
double position(const Range& range, bool logarithmic, double value);

/// About `count` round values inside the range.
std::vector<Tick> ticks(const Range& range, bool logarithmic, int count);

/// 0.05, 20k, 1.5M.
std::string tick_text(double value);

}  // namespace slopegan
