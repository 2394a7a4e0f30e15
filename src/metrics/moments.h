#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace slopegan {

/// Mean and covariance of a set of feature vectors, float64.
struct Moments {
  at::Tensor mean;        ///< [d]
  at::Tensor covariance;  ///< [d, d], the sum of products of deviations over count − 1
  std::int64_t count = 0;
};

/// Moments of a stream of batches in one pass. Batches are merged by their own means and deviations (Chan, Golub and
/// LeVeque 1983), so that a mean that is large beside the spread costs no accuracy.
class RunningMoments {
 public:
  /// features [n, d] with n ≥ 0 and the d of the first call, float32 or float64, finite; else std::invalid_argument.
  void add(const at::Tensor& features);
  std::int64_t count() const { return count_; }
  /// Throws std::invalid_argument for fewer than two samples: they have no covariance.
  Moments moments() const;

 private:
  void merge(const at::Tensor& block);

  std::int64_t count_ = 0;
  at::Tensor mean_;     // [d]
  at::Tensor scatter_;  // [d, d], the sum of products of deviations
};

/// Of all rows of features [N, d], N ≥ 2; throws like RunningMoments.
Moments moments_of(const at::Tensor& features);

}  // namespace slopegan
