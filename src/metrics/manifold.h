#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

/// Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020). The support of a
/// distribution is approximated by balls around its samples. The radius of a ball is the distance to the k-th nearest
/// neighbour in the same set.
namespace slopegan {

/// A set of feature vectors with the squared radii of their balls. It is computed once for the real images.
struct Manifold {
  at::Tensor features;                  ///< [N, d] float64
  std::vector<double> precision_radii;  ///< [N], squared, for precision and recall
  std::vector<double> density_radii;    ///< [N], squared, for density and coverage
  std::int64_t precision_neighbours = 0;
  std::int64_t density_neighbours = 0;
};

/// Computes the radii for features [N, d]. Throws std::invalid_argument unless N is larger than both numbers of
/// neighbours, and these are at least 1.
Manifold manifold_of(const at::Tensor& features, std::int64_t precision_neighbours = 3,
                     std::int64_t density_neighbours = 5);

/// Metrics for N real and M generated samples. As in the reference implementations, the balls are closed for precision
/// and recall, and open for density and coverage.
struct ManifoldMetrics {
  double precision = 0;  ///< fraction of generated samples in a ball of a real sample
  double recall = 0;     ///< fraction of real samples in a ball of a generated sample
  double density = 0;    ///< mean number of real balls that contain a generated sample, divided by k; expected: 1
  double coverage = 0;   ///< fraction of real balls that contain a generated sample
};

/// Throws std::invalid_argument if the widths or the numbers of neighbours differ.
ManifoldMetrics manifold_metrics(const Manifold& real, const Manifold& generated);

}  // namespace slopegan
