#include "diagnostics/layer_probe.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <ATen/ATen.h>

namespace slopegan {

namespace {

/// The number of rows that are summed in float32 before their sums are added to the float64 sums: few enough for
/// rounding errors to be negligible.
constexpr std::int64_t rows_per_part = 256;

/// [N, C, H, W] -> [N·H·W, C], float32. Does not copy a channels-last float32 tensor.
at::Tensor as_rows(const at::Tensor& tensor) {
  return tensor.permute({0, 2, 3, 1}).reshape({-1, tensor.size(1)}).to(at::kFloat).contiguous();
}

/// Sums over a few rows, with one array per sum, so that the loop over the channels is vectorised.
struct RowSums {
  explicit RowSums(std::size_t channels)
      : positive(channels), negative(channels), magnitude(channels), energy(channels), energy_of_negatives(channels) {}

  void add(const float* pre_activation, const float* output) {
    const std::size_t channels = positive.size();
    for (std::size_t c = 0; c < channels; ++c) {
      const float x = pre_activation[c], y = output[c];
      positive[c] += x > 0 ? 1.0f : 0.0f;
      negative[c] += x < 0 ? 1.0f : 0.0f;
      magnitude[c] += std::fabs(y);
      energy[c] += y * y;
      energy_of_negatives[c] += x > 0 ? 0.0f : y * y;
    }
  }
  std::vector<float> positive, negative, magnitude, energy, energy_of_negatives;
};

}  // namespace

void UnitStatistics::add_rows(const float* pre_activation, const float* output, std::int64_t rows) {
  RowSums part(sums_.size());
  const auto channels = units();
  for (std::int64_t row = 0; row < rows; ++row) part.add(pre_activation + row * channels, output + row * channels);
  for (std::size_t c = 0; c < sums_.size(); ++c) {
    sums_[c].positive += static_cast<std::int64_t>(part.positive[c]);
    sums_[c].negative += static_cast<std::int64_t>(part.negative[c]);
    sums_[c].magnitude += part.magnitude[c];
    sums_[c].energy += part.energy[c];
    sums_[c].energy_of_negatives += part.energy_of_negatives[c];
  }
}

void UnitStatistics::add(const at::Tensor& pre_activation, const at::Tensor& output) {
  TORCH_CHECK(pre_activation.dim() == 4 && output.sizes() == pre_activation.sizes(),
              "UnitStatistics: expected two tensors [N, C, H, W], got ", pre_activation.sizes(), " and ",
              output.sizes());
  if (sums_.empty()) sums_.resize(static_cast<std::size_t>(pre_activation.size(1)));
  TORCH_CHECK(units() == pre_activation.size(1), "UnitStatistics: expected ", units(), " channels, got ",
              pre_activation.size(1));
  if (!pre_activation.device().is_cpu()) return add_on_device(pre_activation, output);
  const auto before = as_rows(pre_activation), after = as_rows(output);
  const float* x = before.const_data_ptr<float>();
  const float* y = after.const_data_ptr<float>();
  const std::int64_t rows = before.size(0);
  for (std::int64_t row = 0; row < rows; row += rows_per_part) {
    add_rows(x + row * units(), y + row * units(), std::min(rows_per_part, rows - row));
  }
  values_ += rows;
}

void UnitStatistics::add_on_device(const at::Tensor& pre_activation, const at::Tensor& output) {
  // [N, C, H, W] -> [C]. Sums over the positions in int64 or float32, because a sum in float64 would first convert all
  // values, and then over the images in float64.
  const auto sum = [](const at::Tensor& values) {
    return values.sum(at::IntArrayRef{2, 3}).sum(0, false, at::kDouble);
  };
  const auto is_positive = pre_activation > 0;
  auto powers = output.to(at::kFloat).abs();
  std::vector<at::Tensor> all_sums = {sum(is_positive), sum(pre_activation < 0), sum(powers)};
  all_sums.push_back(sum(powers.square_()));
  all_sums.push_back(sum(powers.masked_fill_(is_positive, 0)));
  const auto sums = at::stack(all_sums).to(at::kCPU);
  const auto rows = sums.accessor<double, 2>();
  for (std::int64_t c = 0; c < units(); ++c) {
    auto& unit = sums_[static_cast<std::size_t>(c)];
    unit.positive += static_cast<std::int64_t>(rows[0][c]);
    unit.negative += static_cast<std::int64_t>(rows[1][c]);
    unit.magnitude += rows[2][c];
    unit.energy += rows[3][c];
    unit.energy_of_negatives += rows[4][c];
  }
  values_ += output.numel() / units();
}

namespace {

double fraction(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

double UnitStatistics::never_positive() const {
  return fraction(std::count_if(sums_.begin(), sums_.end(), [](const Sums& unit) { return unit.positive == 0; }),
                  units());
}

double UnitStatistics::always_positive() const {
  return fraction(
      std::count_if(sums_.begin(), sums_.end(), [this](const Sums& unit) { return unit.positive == values_; }),
      units());
}

double UnitStatistics::dormant() const {
  double sum = 0;
  for (const auto& unit : sums_) sum += unit.magnitude;
  const double limit = dormant_threshold * sum / static_cast<double>(std::max<std::int64_t>(units(), 1));
  return fraction(
      std::count_if(sums_.begin(), sums_.end(), [limit](const Sums& unit) { return unit.magnitude <= limit; }),
      units());
}

double UnitStatistics::negative_fraction() const {
  std::int64_t negative = 0;
  for (const auto& unit : sums_) negative += unit.negative;
  return fraction(negative, values_ * units());
}

double UnitStatistics::slope_energy() const {
  double energy = 0, of_negatives = 0;
  for (const auto& unit : sums_) {
    energy += unit.energy;
    of_negatives += unit.energy_of_negatives;
  }
  return energy > 0 ? of_negatives / energy : 0;
}

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
