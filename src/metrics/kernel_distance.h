#pragma once

#include <ATen/core/Tensor.h>

namespace slopegan {

/// Computes the unbiased estimate of the squared maximum mean discrepancy between x [n, d] and y [m, d], n, m ≥ 2, with
/// the kernel of the KID, k(a, b) = (a·b/d + 1)³ (Bińkowski et al. 2018), over all pairs:
///   Σ_{i≠j} k(x_i, x_j) / (n(n − 1)) + Σ_{i≠j} k(y_i, y_j) / (m(m − 1)) − 2 Σ_ij k(x_i, y_j) / (nm).
/// The result may be negative. Throws std::invalid_argument if a set has fewer than two samples, if the widths differ,
/// or if values are not finite or so large that their sixth powers overflow.
double kernel_distance(const at::Tensor& x, const at::Tensor& y);

}  // namespace slopegan
