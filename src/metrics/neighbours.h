#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <ATen/core/Tensor.h>

/// Squared Euclidean distances between the rows of feature matrices. They are computed in blocks of rows, so that the
/// whole matrix of distances is never in memory.
///
/// Metrics often compare distances that are equal, because a radius is itself a distance to a point, and the other set
/// may contain copies of that point. The distance between two points is therefore *defined* as the sum of (a_c − b_c)²
/// in one fixed order. It is symmetric, exactly 0 for equal points, and always the same number for the same two points.
/// Matrix products are several times faster but have none of these properties. They provide rigorous bounds, and the
/// definition is evaluated only for the few pairs whose bounds do not decide a comparison.
namespace slopegan {

class DistancesFrom;
/// Called with a row index i and the distances from row i to all rows of the other set.
using VisitPoint = std::function<void(std::int64_t i, const DistancesFrom& distances)>;

/// The rows of a feature matrix, prepared for computing distances to other points with the same origin.
class Points {
 public:
  /// features: the result of checked_features. origin [d]: a point near the centre of the data, which makes the bounds
  /// tight. Throws std::invalid_argument if there are values whose squares overflow.
  Points(const at::Tensor& features, const at::Tensor& origin);

  std::int64_t count() const { return features_.size(0); }
  std::int64_t width() const { return features_.size(1); }

 private:
  friend class DistancesFrom;
  friend void for_each_point(const Points& from, const Points& to, const VisitPoint& visit);

  at::Tensor features_;  // [N, d] as given, for exact distances
  at::Tensor centred_;   // [N, d] features − origin, for the bounds
  at::Tensor norms_;     // [N] squared norms of centred_
};

/// The squared distances from one point to all rows j of the other set. Bounds are cheap; exact distances are not.
class DistancesFrom {
 public:
  DistancesFrom(const Points& from, std::int64_t row, const Points& to, const double* products);

  std::int64_t count() const { return count_; }  ///< number of rows in the other set
  double at_least(std::int64_t j) const { return norm_ * low_ + norms_[j] * low_ - 2 * products_[j] - tiny_; }
  double at_most(std::int64_t j) const { return norm_ * high_ + norms_[j] * high_ - 2 * products_[j] + tiny_; }
  double exact(std::int64_t j) const;

 private:
  const double *point_, *others_, *norms_, *products_;
  std::int64_t count_, width_;
  double norm_, low_, high_, tiny_;
};

/// Calls `visit` for every row of `from` with its distances to all rows of `to`, concurrently for different rows.
/// `from` and `to` must have the same width and the same origin.
void for_each_point(const Points& from, const Points& to, const VisitPoint& visit);

/// Computes the squared distance from every row of features [N, d] to its k-th nearest other row, for every k in `ks`,
/// 1 ≤ k ≤ N − 1. Element [q][i] is the distance of row i for ks[q]. Copies of a row count as other rows at distance 0.
/// Throws std::invalid_argument.
std::vector<std::vector<double>> squared_neighbour_radii(const at::Tensor& features,
                                                         const std::vector<std::int64_t>& ks);

/// Computes the distance (not squared) from every row of features [N, d] to the nearest row of `others` [M, d], N, M ≥
/// 1. Throws std::invalid_argument.
std::vector<double> nearest_distances(const at::Tensor& features, const at::Tensor& others);

}  // namespace slopegan
