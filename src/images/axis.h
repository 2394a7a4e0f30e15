#pragma once

#include <string>
#include <vector>

/// Value ranges and tick positions for chart axes, shared by the PNG plots and the SVG charts.
namespace slopegan {

struct Range {
  double low = 0;
  double high = 1;
};

struct Axis {
  Range range;
  bool logarithmic = false;

  /// Returns an axis with the smallest range that contains all values that can be shown. A range of zero width is
  /// extended. If no value can be shown, the axis has a default range.
  static Axis fit(const std::vector<double>& values, bool logarithmic);

  /// Like fit, but with about 6 % of padding at both ends. A linear axis starts at 0 if its values are not negative
  /// and start near 0.
  static Axis fit_padded(const std::vector<double>& values, bool logarithmic);

  /// Whether `value` has a position on the axis: it must be finite, and between 1e-120 and 1e120 on a logarithmic axis.
  bool can_show(double value) const;

  /// The position of `value` in the range: 0 at `low`, 1 at `high`.
  double position(double value) const;

  /// About `count` round values in the range: multiples of 1, 2 or 5 times a power of ten. On a logarithmic axis, these
  /// are powers of ten, and also 2 and 5 times these powers if the range spans few decades. If fewer than two of them
  /// are in the range, returns the same values as on a linear axis.
  std::vector<double> ticks(int count) const;
};

/// A short label for a tick, for example "0.05", "20k" or "1.5M", with a typographic minus sign.
std::string tick_text(double value);

}  // namespace slopegan
