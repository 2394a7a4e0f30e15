#include "metrics/neighbours.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "metrics/features.h"

namespace slopegan {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Returns the number of rows whose distances to `columns` rows take 16 MiB: large enough for a fast matrix product,
/// small enough for the caches.
std::int64_t block_rows(std::int64_t columns) { return std::clamp<std::int64_t>(2'097'152 / columns, 16, 4096); }

/// Defines the distance (see the header): eight running sums, always added in the same order.
double squared_distance(const double* a, const double* b, std::int64_t width) {
  constexpr std::int64_t lanes = 8;
  double sums[lanes] = {};
  std::int64_t c = 0;
  for (; c + lanes <= width; c += lanes) {
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
      const double difference = a[c + lane] - b[c + lane];
      sums[lane] += difference * difference;
    }
  }
  for (; c < width; ++c) {
    const double difference = a[c] - b[c];
    sums[c % lanes] += difference * difference;
  }
  double sum = 0;
  for (const double part : sums) sum += part;
  return sum;
}

/// Keeps the k smallest of the added values, in ascending order.
class Smallest {
 public:
  explicit Smallest(std::int64_t k) : values_(static_cast<std::size_t>(k), infinity) {}

  double largest() const { return values_.back(); }
  double operator[](std::int64_t order) const { return values_[static_cast<std::size_t>(order)]; }
  void add(double value) {
    if (!(value < values_.back())) return;
    const auto place = std::upper_bound(values_.begin(), values_.end(), value);
    std::move_backward(place, values_.end() - 1, values_.end());
    *place = value;
  }

 private:
  std::vector<double> values_;
};

/// Finds the k smallest distances to all rows except `skipped` (−1: none). At least k rows lie within the k-th smallest
/// upper bound, so a row with a larger lower bound is not among the k nearest.
Smallest nearest(const DistancesFrom& distances, std::int64_t k, std::int64_t skipped) {
  Smallest bounds(k), found(k);
  std::vector<std::int64_t> candidates;
  for (std::int64_t j = 0; j < distances.count(); ++j) {
    if (distances.at_least(j) > bounds.largest() || j == skipped) continue;
    bounds.add(distances.at_most(j));
    candidates.push_back(j);
  }
  for (const std::int64_t j : candidates) {
    if (distances.at_least(j) <= bounds.largest()) found.add(distances.exact(j));
  }
  return found;
}

}  // namespace

Points::Points(const at::Tensor& features, const at::Tensor& origin)
    : features_(features), centred_(features - origin), norms_(at::linalg_vector_norm(centred_, 2, 1).square()) {
  if (!(norms_.max().item<double>() < std::numeric_limits<double>::max() / 16)) {  // so that no sum of norms overflows
    throw std::invalid_argument("the features are too large: their squares overflow");
  }
}

// Let u be half the machine epsilon and d the number of features. The errors of the norms and of the product are at
// most about d·u·(|a|² + |b|²) each, that of centring is 4u·(|a| + |b|)², and that of the definition itself is d·u
// times the distance, which is at most 2·(|a|² + |b|²). The total is less than (6d + 16)·u·(|a|² + |b|²). The factor
// below is more than twice as large. A separate term covers denormal numbers, whose rounding errors are not relative.
DistancesFrom::DistancesFrom(const Points& from, std::int64_t row, const Points& to, const double* products)
    : point_(from.features_.const_data_ptr<double>() + row * from.width()),
      others_(to.features_.const_data_ptr<double>()),
      norms_(to.norms_.const_data_ptr<double>()),
      products_(products),
      count_(to.count()),
      width_(to.width()),
      norm_(from.norms_.const_data_ptr<double>()[row]) {
  const double slack = 8 * static_cast<double>(width_ + 8) * std::numeric_limits<double>::epsilon();
  low_ = 1 - slack;
  high_ = 1 + slack;
  tiny_ = 8 * static_cast<double>(width_) * std::numeric_limits<double>::min();
}

double DistancesFrom::exact(std::int64_t j) const { return squared_distance(point_, others_ + j * width_, width_); }

void for_each_point(const Points& from, const Points& to, const VisitPoint& visit) {
  const std::int64_t rows = std::min(block_rows(to.count()), from.count());
  const at::Tensor buffer = at::empty({rows, to.count()}, at::kDouble);
  const at::Tensor columns = to.centred_.t();
  for (std::int64_t begin = 0; begin < from.count(); begin += rows) {
    const std::int64_t block = std::min(rows, from.count() - begin);
    at::Tensor products = buffer.narrow(0, 0, block);
    at::mm_out(products, from.centred_.narrow(0, begin, block), columns);
    const double* data = products.const_data_ptr<double>();
    at::parallel_for(0, block, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t row = first; row < last; ++row) {
        visit(begin + row, DistancesFrom(from, begin + row, to, data + row * to.count()));
      }
    });
  }
}

std::vector<std::vector<double>> squared_neighbour_radii(const at::Tensor& features,
                                                         const std::vector<std::int64_t>& ks) {
  if (ks.empty() || *std::min_element(ks.begin(), ks.end()) < 1) {
    throw std::invalid_argument("the number of neighbours must be at least 1");
  }
  const std::int64_t most = *std::max_element(ks.begin(), ks.end());
  const at::Tensor matrix = checked_features(features, most + 1, "the neighbours' features");
  const Points points(matrix, matrix.mean(0));
  std::vector<std::vector<double>> radii(ks.size(), std::vector<double>(static_cast<std::size_t>(points.count())));
  for_each_point(points, points, [&](std::int64_t i, const DistancesFrom& distances) {
    const Smallest found = nearest(distances, most, i);
    for (std::size_t q = 0; q < ks.size(); ++q) radii[q][static_cast<std::size_t>(i)] = found[ks[q] - 1];
  });
  return radii;
}

std::vector<double> nearest_distances(const at::Tensor& features, const at::Tensor& others) {
  const at::Tensor from = checked_features(features, 1, "the features"),
                   to = checked_features(others, 1, "the other features");
  check_same_width(from, to);
  const at::Tensor origin = to.mean(0);
  std::vector<double> distances(static_cast<std::size_t>(from.size(0)));
  for_each_point(Points(from, origin), Points(to, origin), [&](std::int64_t i, const DistancesFrom& row) {
    distances[static_cast<std::size_t>(i)] = std::sqrt(nearest(row, 1, -1).largest());
  });
  return distances;
}

}  // namespace slopegan
