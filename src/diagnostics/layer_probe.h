#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "models/block.h"
#include "support/histogram.h"

namespace slopegan {

/// Statistics of the units in one activation layer. A unit is a channel. Its values are those of the channel in all
/// images and at all positions (N × H × W).
class UnitStatistics {
 public:
  /// A unit is dormant if its mean |output| is at most this fraction of the layer's mean (Sokar et al. 2023).
  static constexpr double dormant_threshold = 0.025;

  /// Adds the input and the output of the activation: [N, C, H, W], any floating-point dtype, any device. C must be the
  /// same in all calls.
  void add(const at::Tensor& pre_activation, const at::Tensor& output);

  std::int64_t units() const { return static_cast<std::int64_t>(sums_.size()); }
  /// The number of values per unit: images × positions. The values of one image are correlated.
  std::int64_t values() const { return values_; }

  /// The fraction of units without any value > 0. If the slope is 0, these units are dead.
  double never_positive() const;
  /// The fraction of units whose values are all > 0. These units are linear.
  double always_positive() const;
  /// The fraction of dormant units; 1 if all outputs of the layer are zero.
  double dormant() const;
  /// P(x < 0) over all values of the layer.
  double negative_fraction() const;
  /// Σ f(x)² over x ≤ 0, as a fraction of the sum over all x: the energy that passes through the slope. 0 if the sum is
  /// 0.
  double slope_energy() const;

 private:
  struct Sums {
    std::int64_t positive = 0, negative = 0;
    double magnitude = 0;            // Σ |f(x)|
    double energy = 0;               // Σ f(x)²
    double energy_of_negatives = 0;  // the part for x ≤ 0
  };
  void add_rows(const float* pre_activation, const float* output, std::int64_t rows);
  /// Sums on the device, so that only the sums are copied to the host.
  void add_on_device(const at::Tensor& pre_activation, const at::Tensor& output);

  std::vector<Sums> sums_;
  std::int64_t values_ = 0;
};

/// Collects statistics of a network's activation layers in every forward pass while the probe exists. The network must
/// outlive the probe and must not have other observers.
///
/// The probe itself changes nothing, but forward passes in training mode update the running statistics of batch norm
/// and the vector u of spectral norm. Pass a copy of the network to avoid these changes.
class LayerProbe {
 public:
  /// If `histograms` is set, histograms of the pre-activations are collected too.
  explicit LayerProbe(BlockChainImpl& network, bool histograms = false);
  ~LayerProbe();
  LayerProbe(const LayerProbe&) = delete;
  LayerProbe& operator=(const LayerProbe&) = delete;

  /// One element per activation, from input to output. Element i describes block i, because only the last block has no
  /// activation.
  const std::vector<UnitStatistics>& layers() const { return layers_; }

  /// Histograms of the inputs of each activation; empty if `histograms` is not set.
  const std::vector<Histogram>& pre_activations() const { return pre_activations_; }

 private:
  BlockChainImpl& network_;
  std::vector<UnitStatistics> layers_;
  std::vector<Histogram> pre_activations_;
};

/// The smallest number of images that gives every unit in the network at least `values` values.
std::int64_t images_for(const BlockChainImpl& network, std::int64_t values);

}  // namespace slopegan
