#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

/// What every metric expects of its feature matrices.
namespace slopegan {

/// `features` [N, d] as a contiguous float64 matrix on the CPU, without gradients; shares its memory where it is one.
/// Throws std::invalid_argument, which names `what`, unless it is a float32 or float64 matrix with N ≥ minimum_count
/// rows, d ≥ 1 columns and finite values.
at::Tensor checked_features(const at::Tensor& features, std::int64_t minimum_count, const char* what);

/// Throws std::invalid_argument unless the last dimensions agree.
void check_same_width(const at::Tensor& a, const at::Tensor& b);

}  // namespace slopegan
