#include "report/curve.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace slopegan {

namespace {

struct Sum {
  double total = 0;
  std::size_t count = 0;
  void add(double value) {
    if (!std::isfinite(value)) return;
    total += value;
    ++count;
  }
  double mean() const {
    return count == 0 ? std::numeric_limits<double>::quiet_NaN() : total / static_cast<double>(count);
  }
};

/// The stretches of x, by their upper ends.
std::vector<double> stretches(const std::vector<Curve>& curves, std::size_t most) {
  std::set<double> places;
  for (const auto& curve : curves) {
    for (const auto& point : curve) places.insert(point.x);
  }
  if (places.size() <= most) return {places.begin(), places.end()};
  const double low = *places.begin(), high = *places.rbegin();
  std::vector<double> ends;
  for (std::size_t i = 1; i <= most; ++i) {
    ends.push_back(i == most ? high : low + (high - low) * static_cast<double>(i) / static_cast<double>(most));
  }
  return ends;
}

}  // namespace

Curve mean_curve(const std::vector<Curve>& curves, std::size_t most) {
  const auto ends = stretches(curves, most);
  std::vector<Sum> x(ends.size()), y(ends.size());
  for (const auto& curve : curves) {
    std::vector<Sum> own(ends.size());
    for (const auto& point : curve) {
      const auto i = static_cast<std::size_t>(std::lower_bound(ends.begin(), ends.end(), point.x) - ends.begin());
      x[i].add(point.x);
      own[i].add(point.y);
    }
    for (std::size_t i = 0; i < ends.size(); ++i) y[i].add(own[i].mean());
  }
  Curve mean;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (x[i].count > 0) mean.push_back({x[i].mean(), y[i].mean()});
  }
  return mean;
}

}  // namespace slopegan
