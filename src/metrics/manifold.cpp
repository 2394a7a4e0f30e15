#include "metrics/manifold.h"

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <utility>

#include <ATen/ATen.h>

#include "metrics/features.h"
#include "metrics/neighbours.h"

namespace slopegan {

namespace {

/// Compares one distance with radii, using its bounds if these decide the comparison, and the exact distance otherwise.
class Comparison {
 public:
  Comparison(const DistancesFrom& distances, std::int64_t j)
      : distances_(distances), j_(j), least_(distances.at_least(j)), most_(distances.at_most(j)) {}

  bool is_at_most(double radius) {
    if (least_ <= radius && radius < most_) compute_exactly();
    return most_ <= radius;
  }
  bool is_below(double radius) {
    if (least_ < radius && radius <= most_) compute_exactly();
    return most_ < radius;
  }

 private:
  void compute_exactly() { least_ = most_ = distances_.exact(j_); }

  const DistancesFrom& distances_;
  std::int64_t j_;
  double least_, most_;
};

double share(std::int64_t count, std::size_t of) { return static_cast<double>(count) / static_cast<double>(of); }

}  // namespace

Manifold manifold_of(const at::Tensor& features, std::int64_t precision_neighbours, std::int64_t density_neighbours) {
  auto radii = squared_neighbour_radii(features, {precision_neighbours, density_neighbours});
  return {checked_features(features, 1, "the features"), std::move(radii[0]), std::move(radii[1]), precision_neighbours,
          density_neighbours};
}

ManifoldMetrics manifold_metrics(const Manifold& real, const Manifold& generated) {
  check_same_width(real.features, generated.features);
  if (real.precision_neighbours != generated.precision_neighbours ||
      real.density_neighbours != generated.density_neighbours) {
    throw std::invalid_argument("the two manifolds have different numbers of neighbours");
  }
  const at::Tensor origin = real.features.mean(0);
  const Points reals(real.features, origin), samples(generated.features, origin);
  const auto& sample_radii = generated.precision_radii;
  std::vector<std::atomic<bool>> precise(sample_radii.size());
  std::atomic<std::int64_t> recalled = 0, covered = 0, pairs = 0;

  for_each_point(reals, samples, [&](std::int64_t i, const DistancesFrom& distances) {
    const double precision_radius = real.precision_radii[static_cast<std::size_t>(i)];
    const double density_radius = real.density_radii[static_cast<std::size_t>(i)];
    const double wider = std::max(precision_radius, density_radius);
    bool in_a_sample_ball = false;
    std::int64_t inside = 0;
    for (std::int64_t j = 0; j < distances.count(); ++j) {
      const auto sample = static_cast<std::size_t>(j);
      if (distances.at_least(j) > std::max(wider, sample_radii[sample])) continue;  // true for nearly all pairs
      Comparison distance(distances, j);
      if (distance.is_at_most(precision_radius)) precise[sample].store(true, std::memory_order_relaxed);
      if (!in_a_sample_ball) in_a_sample_ball = distance.is_at_most(sample_radii[sample]);
      inside += distance.is_below(density_radius) ? 1 : 0;
    }
    recalled += in_a_sample_ball ? 1 : 0;
    covered += inside > 0 ? 1 : 0;
    pairs += inside;
  });

  const auto precise_count = std::count(precise.begin(), precise.end(), true);
  const std::size_t reals_count = real.precision_radii.size();
  return {share(precise_count, precise.size()), share(recalled, reals_count),
          share(pairs, precise.size()) / static_cast<double>(real.density_neighbours), share(covered, reals_count)};
}

}  // namespace slopegan
