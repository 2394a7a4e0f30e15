#include "metrics/moments.h"

#include <stdexcept>

#include <ATen/ATen.h>

#include "metrics/features.h"

namespace slopegan {

void RunningMoments::add(const at::Tensor& features) {
  const at::Tensor matrix = checked_features(features, 0, "the features");
  if (!mean_.defined()) {
    mean_ = at::zeros({matrix.size(1)}, at::kDouble);
    scatter_ = at::zeros({matrix.size(1), matrix.size(1)}, at::kDouble);
  }
  check_same_width(matrix, mean_);
  if (matrix.size(0) == 0) return;
  for (const at::Tensor& block : matrix.split(4096)) merge(block);  // bounds the memory for the deviations
}

void RunningMoments::merge(const at::Tensor& block) {
  const at::Tensor block_mean = block.mean(0);
  const at::Tensor deviations = block - block_mean;
  const at::Tensor shift = block_mean - mean_;
  const auto before = static_cast<double>(count_), added = static_cast<double>(block.size(0));
  scatter_.addmm_(deviations.t(), deviations);
  scatter_.addr_(shift, shift, 1, before * added / (before + added));
  mean_.add_(shift, added / (before + added));
  count_ += block.size(0);
}

Moments RunningMoments::moments() const {
  if (count_ < 2) throw std::invalid_argument("a covariance needs at least two samples");
  return {mean_.clone(), scatter_ / static_cast<double>(count_ - 1), count_};
}

Moments moments_of(const at::Tensor& features) {
  RunningMoments running;
  running.add(features);
  return running.moments();
}

}  // namespace slopegan
