#pragma once

#include <vector>

#include "diagnostics/unit_statistics.h"
#include "models/block.h"
#include "support/histogram.h"

namespace slopegan {

/// Counts what the activation layers of a network do at every forward pass while the object lives. The network outlives
/// it and has no other observers.
///
/// Watching changes nothing, but a forward pass does: in training mode it moves batch norm's running statistics and
/// spectral norm's u. Whoever wants neither passes a copy of the network.
class LayerProbe {
 public:
  /// `histograms`: count the sizes of the pre-activations as well.
  explicit LayerProbe(BlockChainImpl& network, bool histograms = false);
  ~LayerProbe();
  LayerProbe(const LayerProbe&) = delete;
  LayerProbe& operator=(const LayerProbe&) = delete;

  /// One for each activation, input side first; they are those of the blocks of the same numbers.
  const std::vector<UnitStatistics>& layers() const { return layers_; }

  /// All values that went into each activation; empty where they were not asked for.
  const std::vector<Histogram>& pre_activations() const { return pre_activations_; }

 private:
  BlockChainImpl& network_;
  std::vector<UnitStatistics> layers_;
  std::vector<Histogram> pre_activations_;
};

/// How many images it takes until every activation of the network has seen at least `values` values of each unit.
std::int64_t images_for(const BlockChainImpl& network, std::int64_t values);

}  // namespace slopegan
