#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace slopegan {

/// Computes the classifier score, called Inception score if Inception is the classifier (Salimans et al. 2016): exp of
/// the mean over samples of KL(p(y|x) ‖ p(y)), where p(y) is the mean of p(y|x) over all samples. logits [N, K], N ≥ 1,
/// float32 or float64, finite; computed in float64. The result lies between 1 (all p(y|x) are equal) and K (each sample
/// certainly belongs to one class, and all classes are equally frequent). Throws std::invalid_argument.
double classifier_score(const at::Tensor& logits);

/// Computes KL(generated ‖ real) in nats between the class shares of the generated and of the real samples. Both are
/// non-empty int64 vectors of classes 0 … classes − 1. 0 if the shares are equal. A class that is never generated
/// contributes 0 (but the shares of the others are larger); a class that is generated but not real makes the result
/// +infinity. Throws std::invalid_argument for empty vectors, other dtypes and classes out of range.
double class_histogram_kl(const at::Tensor& generated, const at::Tensor& real, std::int64_t classes);

}  // namespace slopegan
