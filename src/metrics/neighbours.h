#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <ATen/core/Tensor.h>

/// Squared Euclidean distances between the rows of feature matrices, in blocks of rows: all of them are never in memory
/// at once.
///
/// Radii and neighbours are decided by comparing distances, often equal ones: a radius is itself a distance to a point
/// that may have copies in the other set. So the distance of two points is *defined* as the sum of (a_c − b_c)² in one
/// fixed order: symmetric, 0 exactly for equal points, and the same number wherever the same two points meet. Matrix
/// products, which are several times faster, have none of this; they give bounds of that number that hold with
/// certainty, and the few pairs whose bounds do not settle a comparison are computed by the definition.
namespace slopegan {

class DistancesFrom;
/// Called with row i of some points and its distances to all rows of others.
using VisitPoint = std::function<void(std::int64_t i, const DistancesFrom& distances)>;

/// The rows of a feature matrix, prepared for distances to the rows of others with the same origin.
class Points {
 public:
  /// features: from checked_features; origin [d]: any point amid the data, which keeps the bounds tight. Throws
  /// std::invalid_argument for values whose squares overflow.
  Points(const at::Tensor& features, const at::Tensor& origin);

  std::int64_t count() const { return features_.size(0); }
  std::int64_t width() const { return features_.size(1); }

 private:
  friend class DistancesFrom;
  friend void for_each_point(const Points& from, const Points& to, const VisitPoint& visit);

  at::Tensor features_;  // [N, d] as given: distances are computed from these
  at::Tensor centred_;   // [N, d] features − origin: bounds are
  at::Tensor norms_;     // [N], squared, of centred
};

/// The squared distances of one point to all rows j of other points: bounds at once, the number itself on demand.
class DistancesFrom {
 public:
  DistancesFrom(const Points& from, std::int64_t row, const Points& to, const double* products);

  std::int64_t count() const { return count_; }  ///< of the other points
  double at_least(std::int64_t j) const { return norm_ * low_ + norms_[j] * low_ - 2 * products_[j] - tiny_; }
  double at_most(std::int64_t j) const { return norm_ * high_ + norms_[j] * high_ - 2 * products_[j] + tiny_; }
  double exact(std::int64_t j) const;

 private:
  const double *point_, *others_, *norms_, *products_;
  std::int64_t count_, width_;
  double norm_, low_, high_, tiny_;
};

/// Visits every row of `from` with its distances to all rows of `to`, different rows concurrently. Both must have the
/// same width and the same origin.
void for_each_point(const Points& from, const Points& to, const VisitPoint& visit);

/// Squared distance of every row of features [N, d] to its k-th nearest other row, for every k of `ks` (each between 1
/// and N − 1): element [q][i] is the ks[q]-th of row i. Copies of a row are other rows, at distance 0. Throws
/// std::invalid_argument.
std::vector<std::vector<double>> squared_neighbour_radii(const at::Tensor& features,
                                                         const std::vector<std::int64_t>& ks);

/// Distance (not squared) of every row of features [N, d] to the nearest row of `others` [M, d], N, M ≥ 1. Throws
/// std::invalid_argument.
std::vector<double> nearest_distances(const at::Tensor& features, const at::Tensor& others);

}  // namespace slopegan
