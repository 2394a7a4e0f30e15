#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

namespace slopegan {

/// Counts over all values that the units of one activation layer took. A unit is a channel; its values are those of all
/// images and positions (N × H × W).
class UnitStatistics {
 public:
  /// A unit whose mean |output| is at most this share of the layer's mean is dormant (Sokar et al. 2023).
  static constexpr double dormant_threshold = 0.025;

  /// What went into the activation and what came out: [N, C, H, W] of any floating type, on any device; the same C each
  /// time.
  void add(const at::Tensor& pre_activation, const at::Tensor& output);

  std::int64_t units() const { return static_cast<std::int64_t>(sums_.size()); }
  /// Values counted of each unit. One that was never positive in M values is positive with a probability below 3/M (at
  /// 95 %, "rule of three").
  std::int64_t values() const { return values_; }

  /// The share of the units that no value > 0 reached: dead where the slope is 0, always negative otherwise.
  double never_positive() const;
  /// The share whose every value was > 0, so that they are linear.
  double always_positive() const;
  /// The share that is dormant; all of a layer whose outputs are all zero.
  double dormant() const;
  /// P(x < 0) over the layer.
  double negative_fraction() const;
  /// Σ f(x)² over x ≤ 0, as a share of that over all x: what the layer passes on by its slope. 0 where all is zero.
  double slope_energy() const;

  /// Of one unit, for who wants to see more than the layer: the share of its values > 0.
  double positive_fraction(std::int64_t unit) const;

 private:
  struct Sums {
    std::int64_t positive = 0, negative = 0;
    double magnitude = 0;            // Σ |f(x)|
    double energy = 0;               // Σ f(x)²
    double energy_of_negatives = 0;  // the part of x ≤ 0
  };
  void add_rows(const float* pre_activation, const float* output, std::int64_t rows);

  std::vector<Sums> sums_;
  std::int64_t values_ = 0;
};

}  // namespace slopegan
