#include "diagnostics/layer_probe.h"

#include <algorithm>
#include <limits>

#include <ATen/ATen.h>

namespace slopegan {

namespace {

void add_values(Histogram& histogram, const at::Tensor& tensor) {
  const auto values = tensor.to(at::kCPU, at::kFloat).contiguous(tensor.suggest_memory_format());
  histogram.add({values.const_data_ptr<float>(), static_cast<std::size_t>(values.numel())});
}

}  // namespace

LayerProbe::LayerProbe(BlockChainImpl& network, bool histograms) : network_(network) {
  const auto has_activation = [](const Block& block) { return block->activation != nullptr; };
  layers_.resize(static_cast<std::size_t>(std::count_if(network.blocks.begin(), network.blocks.end(), has_activation)));
  if (histograms) pre_activations_.resize(layers_.size());
  std::size_t layer = 0;
  for (auto& block : network.blocks) {
    if (!has_activation(block)) continue;
    block->observer = [this, layer](const at::Tensor& pre_activation, const at::Tensor& output) {
      layers_[layer].add(pre_activation, output);
      if (!pre_activations_.empty()) add_values(pre_activations_[layer], pre_activation);
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
