#pragma once

#include "metrics/moments.h"

namespace slopegan {

/// The Fréchet distance of two Gaussians with these moments (Dowson and Landau 1982; of features: Heusel et al. 2017),
///   |μ1 − μ2|² + tr Σ1 + tr Σ2 − 2 tr (Σ1^½ Σ2 Σ1^½)^½,
/// a squared distance in spite of its name. Covariances of any rank. The last trace is computed as the sum of the
/// singular values of Σ1^½ Σ2^½, which it equals: the roots of the eigenvalues of Σ1^½ Σ2 Σ1^½ would turn their
/// rounding errors ε into √ε. Equal moments give 0 but for rounding, to either side. Throws std::invalid_argument for
/// moments of different widths or that are not finite.
double frechet_distance(const Moments& a, const Moments& b);

/// By how much frechet_distance is expected to exceed the true value when both moments are estimated, from n and m ≥ 2
/// samples of one Gaussian with this covariance [d, d], to leading order: with its eigenvalues λ
///   (1/n + 1/m) · [Σ_i λ_i + ½ Σ_ij (1 + δ_ij) λ_i λ_j / (λ_i + λ_j)].
double frechet_bias(const at::Tensor& covariance, std::int64_t n, std::int64_t m);

}  // namespace slopegan
