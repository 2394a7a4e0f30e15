#include "diagnostics/layer_probe.h"

#include <algorithm>
#include <limits>

#include <ATen/ATen.h>

namespace slopegan {

LayerProbe::LayerProbe(BlockChainImpl& network) : network_(network) {
  const auto has_activation = [](const Block& block) { return block->activation != nullptr; };
  layers_.resize(static_cast<std::size_t>(std::count_if(network.blocks.begin(), network.blocks.end(), has_activation)));
  std::size_t layer = 0;
  for (auto& block : network.blocks) {
    if (!has_activation(block)) continue;
    block->observer = [this, layer](const at::Tensor& pre_activation, const at::Tensor& output) {
      layers_[layer].add(pre_activation, output);
    };
    ++layer;
  }
}

LayerProbe::~LayerProbe() {
  for (auto& block : network_.blocks) block->observer = nullptr;
}

std::int64_t images_for(const BlockChainImpl& network, std::int64_t values) {
  std::int64_t fewest = std::numeric_limits<std::int64_t>::max();
  const auto lines = network.summary();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto& shape = lines[i].output_shape;
    if (network.blocks[i]->activation) fewest = std::min(fewest, shape[1] * shape[2]);
  }
  return (values + fewest - 1) / fewest;
}

}  // namespace slopegan
