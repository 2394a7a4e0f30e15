#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

/// Feature matrices are the input of all metrics. They have one row per sample and one column per feature. These
/// functions check them and compute their mean and covariance.
namespace slopegan {

/// Returns `features` [N, d] as a contiguous float64 matrix on the CPU, detached from the graph. Shares memory with
/// `features` if it is already such a matrix. Throws std::invalid_argument, with `what` in the message, unless
/// `features` is a float32 or float64 matrix with N ≥ minimum_count rows, d ≥ 1 columns and finite values.
at::Tensor checked_features(const at::Tensor& features, std::int64_t minimum_count, const char* what);

/// Throws std::invalid_argument unless the last dimensions are equal.
void check_same_width(const at::Tensor& a, const at::Tensor& b);

/// Mean and covariance of a set of feature vectors, float64.
struct Moments {
  at::Tensor mean;        ///< [d]
  at::Tensor covariance;  ///< [d, d], unbiased: divided by count − 1
  std::int64_t count = 0;
};

/// Computes the moments of a stream of batches in one pass. Each batch is merged using its own mean and deviations
/// (Chan, Golub and LeVeque 1983), so that no accuracy is lost if the mean is large compared with the deviations.
class RunningMoments {
 public:
  /// Adds features [n, d], n ≥ 0, float32 or float64. Throws std::invalid_argument if a value is not finite or d
  /// differs from the first call.
  void add(const at::Tensor& features);
  std::int64_t count() const { return count_; }
  /// Throws std::invalid_argument if there are fewer than two samples.
  Moments moments() const;

 private:
  void merge(const at::Tensor& block);

  std::int64_t count_ = 0;
  at::Tensor mean_;     // [d]
  at::Tensor scatter_;  // [d, d], sum of the outer products of deviations
};

/// Computes the moments of features [N, d], N ≥ 2. Throws like RunningMoments.
Moments moments_of(const at::Tensor& features);

}  // namespace slopegan
