#pragma once

#include <cstdint>

#include "layers/vector_kernel.h"

/// The loops of the leaky rectifier over `count` values that lie one after another in memory, on one thread. Loads and
/// stores at the same index only, so output may be input. T is float, double, or bfloat16 as its 16 bits.
///
/// f(x) = x for x > 0, slope · x otherwise; at slope 0 everything but NaN becomes +0, infinities too.
namespace slopegan::kernels {

void leaky_relu(const float* input, float* output, std::int64_t count, float slope);
void leaky_relu(const double* input, double* output, std::int64_t count, double slope);
void leaky_relu(const bfloat16_bits* input, bfloat16_bits* output, std::int64_t count, float slope);

/// gradient · f'(x), where `sign` is any tensor that is positive exactly where x is: x itself, or f(x) for slope ≥ 0.
void leaky_relu_backward(const float* gradient, const float* sign, float* output, std::int64_t count, float slope);
void leaky_relu_backward(const double* gradient, const double* sign, double* output, std::int64_t count, double slope);
void leaky_relu_backward(const bfloat16_bits* gradient, const bfloat16_bits* sign, bfloat16_bits* output,
                         std::int64_t count, float slope);

}  // namespace slopegan::kernels
