#pragma once

#include <cstddef>
#include <vector>

namespace slopegan {

struct CurvePoint {
  double x = 0;
  double y = 0;
};

/// In the order of x; y may be NaN, which is a gap.
using Curve = std::vector<CurvePoint>;

/// The mean of several curves in at most `most` points: at each x that occurs, or where these are more, over equal
/// stretches of x, of which each curve weighs the same. Values that are not finite are left out; a stretch of nothing
/// else is NaN.
Curve mean_curve(const std::vector<Curve>& curves, std::size_t most);

}  // namespace slopegan
