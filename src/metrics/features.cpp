#include "metrics/features.h"

#include <stdexcept>

#include <ATen/ATen.h>

#include "support/text.h"

namespace slopegan {

at::Tensor checked_features(const at::Tensor& features, std::int64_t minimum_count, const char* what) {
  if (!features.defined() || features.dim() != 2 || features.size(1) < 1) {
    throw std::invalid_argument(format_text("{} must be a matrix with one row per sample", what));
  }
  if (features.scalar_type() != at::kFloat && features.scalar_type() != at::kDouble) {
    throw std::invalid_argument(format_text("{} must be float32 or float64", what));
  }
  if (features.size(0) < minimum_count) {
    throw std::invalid_argument(
        format_text("{}: the number of samples must be at least {}, got {}", what, minimum_count, features.size(0)));
  }
  const at::Tensor matrix = features.detach().to(at::kCPU, at::kDouble).contiguous();
  if (!at::isfinite(matrix).all().item<bool>()) {
    throw std::invalid_argument(format_text("{}: a value is not finite", what));
  }
  return matrix;
}

void check_same_width(const at::Tensor& a, const at::Tensor& b) {
  if (a.size(-1) != b.size(-1)) {
    throw std::invalid_argument(
        format_text("the two sets have different numbers of features, {} and {}", a.size(-1), b.size(-1)));
  }
}

void RunningMoments::add(const at::Tensor& features) {
  const at::Tensor matrix = checked_features(features, 0, "the features");
  if (!mean_.defined()) {
    mean_ = at::zeros({matrix.size(1)}, at::kDouble);
    scatter_ = at::zeros({matrix.size(1), matrix.size(1)}, at::kDouble);
  }
  check_same_width(matrix, mean_);
  if (matrix.size(0) == 0) return;
  for (const at::Tensor& block : matrix.split(4096)) merge(block);  // limits the memory of the deviations
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
