#pragma once

#include <ATen/core/Tensor.h>

namespace slopegan {

/// How a parameter learns at one step.
struct GradientFlow {
  double gradient_norm = 0;   ///< 2-norm
  double zero_gradients = 0;  ///< share of the elements whose gradient is exactly 0: nothing reached them
  double update_ratio = 0;    ///< |ΔW| / |W|, 2-norms; 0 where the update is zero, infinite where only |W| is
};

/// `parameter`, its gradient (undefined counts as zeros) and what the optimiser's step changed it by: the same shape.
GradientFlow gradient_flow(const at::Tensor& parameter, const at::Tensor& gradient, const at::Tensor& update);

}  // namespace slopegan
