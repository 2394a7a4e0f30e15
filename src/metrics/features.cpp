#include "metrics/features.h"

#include <stdexcept>

#include <ATen/ATen.h>

#include "support/text.h"

namespace slopegan {

at::Tensor checked_features(const at::Tensor& features, std::int64_t minimum_count, const char* what) {
  if (!features.defined() || features.dim() != 2 || features.size(1) < 1) {
    throw std::invalid_argument(format_text("{} must be a matrix of samples by features", what));
  }
  if (features.scalar_type() != at::kFloat && features.scalar_type() != at::kDouble) {
    throw std::invalid_argument(format_text("{} must be float32 or float64", what));
  }
  if (features.size(0) < minimum_count) {
    throw std::invalid_argument(
        format_text("{}: {} samples are too few, at least {} are needed", what, features.size(0), minimum_count));
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

}  // namespace slopegan
