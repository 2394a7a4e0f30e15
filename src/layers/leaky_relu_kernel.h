#pragma once

#include <cstdint>

#include "layers/vector_kernel.h"

/// Single-threaded loops of the leaky rectifier, alone and after batch norm. Values are float, double, or bfloat16 as
/// bits; arithmetic is in float (double for double). f is rectify() in vector_kernel.h.
namespace slopegan::kernels {

// --- The rectifier alone, over `count` contiguous values; the output may alias an input.

/// output = f(input).
void leaky_relu(const float* input, float* output, std::int64_t count, float slope);
void leaky_relu(const double* input, double* output, std::int64_t count, double slope);
void leaky_relu(const bfloat16_bits* input, bfloat16_bits* output, std::int64_t count, float slope);

/// output = gradient · f'(x), where `sign` is positive exactly where x is positive: x itself, or f(x) for slopes ≥ 0.
void leaky_relu_backward(const float* gradient, const float* sign, float* output, std::int64_t count, float slope);
void leaky_relu_backward(const double* gradient, const double* sign, double* output, std::int64_t count, double slope);
void leaky_relu_backward(const bfloat16_bits* gradient, const bfloat16_bits* sign, bfloat16_bits* output,
                         std::int64_t count, float slope);

// --- The rectifier after batch norm: y = f(z), z = scale · x + shift, over `rows` rows of `channels` values each
// (channels-last feature maps).

/// Adds Σ (x − pivot) and Σ (x − pivot)² of each channel to sums [2, channels]. A pivot near the mean avoids
/// cancellation in the variance.
void add_moments(const float* x, const float* pivot, double* sums, std::int64_t rows, std::int64_t channels);
void add_moments(const double* x, const double* pivot, double* sums, std::int64_t rows, std::int64_t channels);
void add_moments(const bfloat16_bits* x, const float* pivot, double* sums, std::int64_t rows, std::int64_t channels);

/// Scale and shift, [channels] each, and the slope of the rectifier.
template <typename Compute>
struct Affine {
  const Compute* scale;
  const Compute* shift;
  Compute slope;
};

void normalise_and_rectify(const float* x, float* y, Affine<float> affine, std::int64_t rows, std::int64_t channels);
void normalise_and_rectify(const double* x, double* y, Affine<double> affine, std::int64_t rows, std::int64_t channels);
void normalise_and_rectify(const bfloat16_bits* x, bfloat16_bits* y, Affine<float> affine, std::int64_t rows,
                           std::int64_t channels);

/// Adds Σ g and Σ g · (x − mean) of each channel to sums [2, channels], where g = dy · f'(z).
void add_gradient_sums(const float* x, const float* dy, const float* mean, Affine<float> affine, double* sums,
                       std::int64_t rows, std::int64_t channels);
void add_gradient_sums(const double* x, const double* dy, const double* mean, Affine<double> affine, double* sums,
                       std::int64_t rows, std::int64_t channels);
void add_gradient_sums(const bfloat16_bits* x, const bfloat16_bits* dy, const float* mean, Affine<float> affine,
                       double* sums, std::int64_t rows, std::int64_t channels);

/// dx = scale · g + factor · x + offset; factor and offset are [channels].
void input_gradient(const float* x, const float* dy, float* dx, Affine<float> affine, const float* factor,
                    const float* offset, std::int64_t rows, std::int64_t channels);
void input_gradient(const double* x, const double* dy, double* dx, Affine<double> affine, const double* factor,
                    const double* offset, std::int64_t rows, std::int64_t channels);
void input_gradient(const bfloat16_bits* x, const bfloat16_bits* dy, bfloat16_bits* dx, Affine<float> affine,
                    const float* factor, const float* offset, std::int64_t rows, std::int64_t channels);

}  // namespace slopegan::kernels
