#include "diagnostics/gradient_flow.h"

#include <limits>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

namespace slopegan {

GradientFlow gradient_flow(const at::Tensor& parameter, const at::Tensor& gradient, const at::Tensor& update) {
  const at::NoGradGuard no_gradients;
  const auto norm = [](const at::Tensor& tensor) { return tensor.to(at::kDouble).norm().item<double>(); };
  GradientFlow flow;
  flow.zero_gradients = 1;
  if (gradient.defined()) {
    flow.gradient_norm = norm(gradient);
    flow.zero_gradients =
        static_cast<double>((gradient == 0).sum().item<std::int64_t>()) / static_cast<double>(gradient.numel());
  }
  const double change = norm(update), weight = norm(parameter);
  if (change > 0) flow.update_ratio = weight > 0 ? change / weight : std::numeric_limits<double>::infinity();
  return flow;
}

}  // namespace slopegan
