#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace slopegan {

/// exp of the mean over samples of KL(p(y|x) ‖ p(y)), p(y) being the mean of p(y|x) (Salimans et al. 2016), over all
/// samples at once. logits [N, K], N ≥ 1, float32 or float64, finite; computed in float64. Between 1 (all p(y|x) the
/// same) and K (certain of one class each, all classes as often). Throws std::invalid_argument.
double classifier_score(const at::Tensor& logits);

/// KL(generated ‖ real) in nats of the shares of the classes 0 … classes − 1 among the generated samples from those
/// among the real ones; both vectors int64, not empty. 0 where the shares are the same. A class that was never
/// generated adds nothing itself (the others' larger shares do); one that is generated and not real makes it +infinity.
/// Throws std::invalid_argument for empty vectors, other dtypes and classes out of range.
double class_histogram_kl(const at::Tensor& generated, const at::Tensor& real, std::int64_t classes);

}  // namespace slopegan
