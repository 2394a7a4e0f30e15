#pragma once

#include <cstdint>

#include "layers/vector_kernel.h"

/// The loops of batch norm with a leaky rectifier behind it, on one thread, over `rows` rows of `channels` values that
/// lie one after another in memory (channels-last maps). T is float, double, or bfloat16 as its bits; it is computed in
/// float, or double.
///
/// With z = scale · x + shift, the output is y = f(z), f(z) = z for z > 0 and slope · z otherwise.
namespace slopegan::kernels {

/// Adds Σ (x − pivot) and Σ (x − pivot)² of each channel to sums [2, channels]. A pivot near the mean keeps what the
/// difference of squares loses small.
void add_moments(const float* x, const float* pivot, double* sums, std::int64_t rows, std::int64_t channels);
void add_moments(const double* x, const double* pivot, double* sums, std::int64_t rows, std::int64_t channels);
void add_moments(const bfloat16_bits* x, const float* pivot, double* sums, std::int64_t rows, std::int64_t channels);

/// What a value of a channel is normalised with, [channels] each.
template <typename Compute>
struct Affine {
  const Compute* scale;
  const Compute* shift;
  Compute slope;
};

void normalise(const float* x, float* y, Affine<float> affine, std::int64_t rows, std::int64_t channels);
void normalise(const double* x, double* y, Affine<double> affine, std::int64_t rows, std::int64_t channels);
void normalise(const bfloat16_bits* x, bfloat16_bits* y, Affine<float> affine, std::int64_t rows,
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
