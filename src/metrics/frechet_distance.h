#pragma once

#include "metrics/features.h"

namespace slopegan {

/// Computes the Fréchet distance between two Gaussians with these moments (Dowson and Landau 1982; for features: Heusel
/// et al. 2017),
///   |μ1 − μ2|² + tr Σ1 + tr Σ2 − 2 tr (Σ1^½ Σ2 Σ1^½)^½,
/// which, despite its name, is a squared distance. The covariances may have any rank. The last trace is computed as the
/// sum of the singular values of Σ1^½ Σ2^½, which is equal but more accurate: the square roots of the eigenvalues of
/// Σ1^½ Σ2 Σ1^½ would turn rounding errors ε into √ε. Equal moments give 0 up to rounding; the result may be negative.
/// Throws std::invalid_argument if the widths differ or a covariance is not finite.
double frechet_distance(const Moments& a, const Moments& b);

/// Computes, to leading order, the expected bias of frechet_distance if the moments are estimated from n ≥ 2 and m ≥ 2
/// samples of one Gaussian whose covariance [d, d] has eigenvalues λ:
///   (1/n + 1/m) · [Σ_i λ_i + ½ Σ_ij (1 + δ_ij) λ_i λ_j / (λ_i + λ_j)].
double frechet_bias(const at::Tensor& covariance, std::int64_t n, std::int64_t m);

}  // namespace slopegan
