#include "metrics/frechet_distance.h"

#include <limits>
#include <stdexcept>
#include <tuple>

#include <ATen/ATen.h>

#include "metrics/features.h"

namespace slopegan {

namespace {

/// An approximate upper bound on the rounding error in the eigenvalues that LAPACK computes.
double rounding_error(const at::Tensor& covariance, double largest) {
  return largest * static_cast<double>(covariance.size(0)) * std::numeric_limits<double>::epsilon();
}

/// Returns the eigenvalues in ascending order and the eigenvectors. LAPACK's divide-and-conquer algorithm sometimes
/// does not converge if nearly all eigenvalues are rounding errors, as happens for a few almost equal images. It
/// converges if all eigenvalues are shifted by their rounding error.
std::tuple<at::Tensor, at::Tensor> eigendecomposition(const at::Tensor& covariance) {
  try {
    return at::linalg_eigh(covariance);
  } catch (const c10::LinAlgError&) {
    const double shift = rounding_error(covariance, covariance.diagonal().sum().item<double>());
    const auto [values, vectors] = at::linalg_eigh(covariance + shift * at::eye(covariance.size(0), at::kDouble));
    return {values - shift, vectors};
  }
}

/// Returns a matrix F [d, rank] with F Fᵀ = covariance. Eigenvalues that are zero up to rounding are omitted: `rank` is
/// the numerical rank.
at::Tensor covariance_factor(const at::Tensor& covariance) {
  const auto [values, vectors] = eigendecomposition(checked_features(covariance, 1, "the covariance"));
  const double rounding = rounding_error(covariance, values[-1].item<double>());
  const auto rank = (values > rounding).sum().item<std::int64_t>();
  const std::int64_t first = values.size(0) - rank;
  return vectors.narrow(1, first, rank) * values.narrow(0, first, rank).sqrt();
}

/// Computes tr (A^½ B A^½)^½ as the sum of the singular values of A^½ B^½. The outer rotations are omitted, because
/// they do not change the singular values.
double trace_of_root(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor product = at::mm(covariance_factor(a).t(), covariance_factor(b));
  return product.numel() == 0 ? 0.0 : at::linalg_svdvals(product).sum().item<double>();
}

}  // namespace

double frechet_distance(const Moments& a, const Moments& b) {
  check_same_width(a.mean, b.mean);
  const double of_means = (a.mean - b.mean).square().sum().item<double>();
  const double of_traces = (a.covariance.diagonal() + b.covariance.diagonal()).sum().item<double>();
  return of_means + of_traces - 2 * trace_of_root(a.covariance, b.covariance);
}

double frechet_bias(const at::Tensor& covariance, std::int64_t n, std::int64_t m) {
  if (n < 2 || m < 2) throw std::invalid_argument("a covariance needs at least two samples");
  const at::Tensor values = at::linalg_eigvalsh(checked_features(covariance, 1, "the covariance")).clamp_min(0);
  const at::Tensor sums = values.unsqueeze(1) + values;
  const at::Tensor pairs = at::outer(values, values).div(sums).masked_fill(sums == 0, 0);
  const double bracket = values.sum().item<double>() + 0.5 * (pairs.sum() + pairs.trace()).item<double>();
  return (1 / static_cast<double>(n) + 1 / static_cast<double>(m)) * bracket;
}

}  // namespace slopegan
