#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

/// Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020): the balls around the
/// samples of a set, each as wide as the distance to its k-th nearest neighbour in the set, stand for the region where
/// the set's distribution lives.
namespace slopegan {

/// A set of feature vectors with the squared radii of its balls. That of the real images serves every evaluation.
struct Manifold {
  at::Tensor features;                  ///< [N, d] float64
  std::vector<double> precision_radii;  ///< [N], squared, for precision and recall
  std::vector<double> density_radii;    ///< [N], squared, for density and coverage
  std::int64_t precision_neighbours = 0;
  std::int64_t density_neighbours = 0;
};

/// features [N, d] with N above both numbers of neighbours, which are at least 1; else std::invalid_argument.
Manifold manifold_of(const at::Tensor& features, std::int64_t precision_neighbours = 3,
                     std::int64_t density_neighbours = 5);

/// Of N real and M generated samples, with balls that are closed for the first two and open for the others, as their
/// papers' programs have them.
struct ManifoldMetrics {
  double precision = 0;  ///< share of generated samples within a ball of a real one
  double recall = 0;     ///< share of real samples within a ball of a generated one
  double density = 0;    ///< real balls around a generated sample, on average and over k; 1 is expected, may be above
  double coverage = 0;   ///< share of real balls with a generated sample in them
};

/// Throws std::invalid_argument for manifolds of different widths or different numbers of neighbours.
ManifoldMetrics manifold_metrics(const Manifold& real, const Manifold& generated);

/// The coverage expected of two sets of n samples of one continuous distribution: 1 − Π_{j=1..k} (n − j)/(2n − j).
double expected_coverage(std::int64_t n, std::int64_t neighbours = 5);

}  // namespace slopegan
