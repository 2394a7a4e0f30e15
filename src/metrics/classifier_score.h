#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace slopegan {

/// Computes the classifier score, called the Inception score if Inception is the classifier (Salimans et al. 2016): exp
/// of the mean over samples of KL(p(y|x) ‖ p(y)), where p(y) is the mean of p(y|x) over all samples. logits: [N, K], N
/// ≥ 1, float32 or float64, finite. Computed in float64. The result lies between 1 (all p(y|x) are equal) and K (each
/// sample belongs to one class with certainty, and all classes are equally frequent). Throws std::invalid_argument for
/// any other logits.
double classifier_score(const at::Tensor& logits);

/// Computes KL(generated ‖ real), in nats, between the class distributions of the generated and the real samples. Both
/// arguments are non-empty int64 vectors of classes 0 … classes − 1. The result is 0 if the distributions are equal. A
/// class that is never generated contributes 0, but its absence increases the frequencies of the others. A class that
/// is generated but does not occur in the real samples makes the result +infinity. Throws std::invalid_argument if a
/// vector is empty, has a different dtype, or contains a class that is out of range.
double class_histogram_kl(const at::Tensor& generated, const at::Tensor& real, std::int64_t classes);

}  // namespace slopegan
