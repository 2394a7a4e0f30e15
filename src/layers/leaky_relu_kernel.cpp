#include "layers/leaky_relu_kernel.h"

#include <algorithm>

namespace slopegan::kernels {

namespace {

template <typename T, typename Compute>
[[gnu::always_inline]] inline void forward_loop(const T* input, T* output, std::int64_t count, Compute slope) {
  for (std::int64_t i = 0; i < count; ++i) store(output[i], rectify(load(input[i]), slope));
}

template <typename T, typename Compute>
[[gnu::always_inline]] inline void backward_loop(const T* gradient, const T* sign, T* output, std::int64_t count,
                                                 Compute slope) {
  for (std::int64_t i = 0; i < count; ++i) store(output[i], rectify_gradient(load(gradient[i]), load(sign[i]), slope));
}

// Sums are computed for one strip of channels at a time, so that they fit into registers, and over so few rows that
// float is precise enough. These partial sums are then added in double.
constexpr std::int64_t strip = 64, rows_at_once = 128;

/// Calls body(first row, number of rows, first channel, number of channels).
template <typename Body>
[[gnu::always_inline]] inline void for_strips(std::int64_t rows, std::int64_t channels, Body body) {
  for (std::int64_t row = 0; row < rows; row += rows_at_once) {
    const std::int64_t count = std::min(rows_at_once, rows - row);
    for (std::int64_t channel = 0; channel < channels; channel += strip) {
      body(row, count, channel, std::min(strip, channels - channel));
    }
  }
}

template <typename T, typename Compute>
[[gnu::always_inline]] inline void moments(const T* __restrict x, const Compute* __restrict pivot,
                                           double* __restrict sums, std::int64_t rows, std::int64_t channels) {
  for_strips(rows, channels,
             [=](std::int64_t row, std::int64_t count, std::int64_t channel, std::int64_t width)
                 __attribute__((always_inline)) {
                   Compute first[strip] = {}, second[strip] = {};
                   for (std::int64_t r = row; r < row + count; ++r) {
                     const T* values = x + r * channels + channel;
                     for (std::int64_t c = 0; c < width; ++c) {
                       const Compute value = load(values[c]) - pivot[channel + c];
                       first[c] += value;
                       second[c] += value * value;
                     }
                   }
                   for (std::int64_t c = 0; c < width; ++c) {
                     sums[channel + c] += static_cast<double>(first[c]);
                     sums[channels + channel + c] += static_cast<double>(second[c]);
                   }
                 });
}

template <typename T, typename Compute>
[[gnu::always_inline]] inline void outputs(const T* __restrict x, T* __restrict y, Affine<Compute> affine,
                                           std::int64_t rows, std::int64_t channels) {
  const Compute* __restrict scale = affine.scale, * __restrict shift = affine.shift;
  for (std::int64_t row = 0; row < rows; ++row, x += channels, y += channels) {
#pragma omp simd
    for (std::int64_t c = 0; c < channels; ++c) {
      const Compute z = load(x[c]) * scale[c] + shift[c];
      store(y[c], rectify(z, affine.slope));
    }
  }
}

template <typename T, typename Compute>
[[gnu::always_inline]] inline void gradient_sums(const T* __restrict x, const T* __restrict dy,
                                                 const Compute* __restrict mean, Affine<Compute> affine,
                                                 double* __restrict sums, std::int64_t rows, std::int64_t channels) {
  const Compute* __restrict scale = affine.scale, * __restrict shift = affine.shift;
  for_strips(rows, channels,
             [=](std::int64_t row, std::int64_t count, std::int64_t channel, std::int64_t width)
                 __attribute__((always_inline)) {
                   Compute first[strip] = {}, second[strip] = {};
                   for (std::int64_t r = row; r < row + count; ++r) {
                     const T *values = x + r * channels + channel, *gradients = dy + r * channels + channel;
                     for (std::int64_t c = 0; c < width; ++c) {
                       const Compute value = load(values[c]), g = load(gradients[c]);
                       const Compute z = value * scale[channel + c] + shift[channel + c];
                       const Compute passed = rectify_gradient(g, z, affine.slope);
                       first[c] += passed;
                       second[c] += passed * (value - mean[channel + c]);
                     }
                   }
                   for (std::int64_t c = 0; c < width; ++c) {
                     sums[channel + c] += static_cast<double>(first[c]);
                     sums[channels + channel + c] += static_cast<double>(second[c]);
                   }
                 });
}

template <typename T, typename Compute>
[[gnu::always_inline]] inline void gradients(const T* __restrict x, const T* __restrict dy, T* __restrict dx,
                                             Affine<Compute> affine, const Compute* __restrict factor,
                                             const Compute* __restrict offset, std::int64_t rows,
                                             std::int64_t channels) {
  const Compute* __restrict scale = affine.scale, * __restrict shift = affine.shift;
  for (std::int64_t row = 0; row < rows; ++row, x += channels, dy += channels, dx += channels) {
#pragma omp simd
    for (std::int64_t c = 0; c < channels; ++c) {
      const Compute value = load(x[c]), g = load(dy[c]), z = value * scale[c] + shift[c];
      store(dx[c], rectify_gradient(g, z, affine.slope) * scale[c] + value * factor[c] + offset[c]);
    }
  }
}

}  // namespace

void leaky_relu(const float* input, float* output, std::int64_t count, float slope) {
  run<forward_loop<float, float>>(input, output, count, slope);
}
void leaky_relu(const double* input, double* output, std::int64_t count, double slope) {
  run<forward_loop<double, double>>(input, output, count, slope);
}
void leaky_relu(const bfloat16_bits* input, bfloat16_bits* output, std::int64_t count, float slope) {
  run<forward_loop<bfloat16_bits, float>>(input, output, count, slope);
}

void leaky_relu_backward(const float* gradient, const float* sign, float* output, std::int64_t count, float slope) {
  run<backward_loop<float, float>>(gradient, sign, output, count, slope);
}
void leaky_relu_backward(const double* gradient, const double* sign, double* output, std::int64_t count, double slope) {
  run<backward_loop<double, double>>(gradient, sign, output, count, slope);
}
void leaky_relu_backward(const bfloat16_bits* gradient, const bfloat16_bits* sign, bfloat16_bits* output,
                         std::int64_t count, float slope) {
  run<backward_loop<bfloat16_bits, float>>(gradient, sign, output, count, slope);
}

void add_moments(const float* x, const float* pivot, double* sums, std::int64_t rows, std::int64_t channels) {
  run<moments<float, float>>(x, pivot, sums, rows, channels);
}
void add_moments(const double* x, const double* pivot, double* sums, std::int64_t rows, std::int64_t channels) {
  run<moments<double, double>>(x, pivot, sums, rows, channels);
}
void add_moments(const bfloat16_bits* x, const float* pivot, double* sums, std::int64_t rows, std::int64_t channels) {
  run<moments<bfloat16_bits, float>>(x, pivot, sums, rows, channels);
}

void normalise_and_rectify(const float* x, float* y, Affine<float> affine, std::int64_t rows, std::int64_t channels) {
  run<outputs<float, float>>(x, y, affine, rows, channels);
}
void normalise_and_rectify(const double* x, double* y, Affine<double> affine, std::int64_t rows,
                           std::int64_t channels) {
  run<outputs<double, double>>(x, y, affine, rows, channels);
}
void normalise_and_rectify(const bfloat16_bits* x, bfloat16_bits* y, Affine<float> affine, std::int64_t rows,
                           std::int64_t channels) {
  run<outputs<bfloat16_bits, float>>(x, y, affine, rows, channels);
}

void add_gradient_sums(const float* x, const float* dy, const float* mean, Affine<float> affine, double* sums,
                       std::int64_t rows, std::int64_t channels) {
  run<gradient_sums<float, float>>(x, dy, mean, affine, sums, rows, channels);
}
void add_gradient_sums(const double* x, const double* dy, const double* mean, Affine<double> affine, double* sums,
                       std::int64_t rows, std::int64_t channels) {
  run<gradient_sums<double, double>>(x, dy, mean, affine, sums, rows, channels);
}
void add_gradient_sums(const bfloat16_bits* x, const bfloat16_bits* dy, const float* mean, Affine<float> affine,
                       double* sums, std::int64_t rows, std::int64_t channels) {
  run<gradient_sums<bfloat16_bits, float>>(x, dy, mean, affine, sums, rows, channels);
}

void input_gradient(const float* x, const float* dy, float* dx, Affine<float> affine, const float* factor,
                    const float* offset, std::int64_t rows, std::int64_t channels) {
  run<gradients<float, float>>(x, dy, dx, affine, factor, offset, rows, channels);
}
void input_gradient(const double* x, const double* dy, double* dx, Affine<double> affine, const double* factor,
                    const double* offset, std::int64_t rows, std::int64_t channels) {
  run<gradients<double, double>>(x, dy, dx, affine, factor, offset, rows, channels);
}
void input_gradient(const bfloat16_bits* x, const bfloat16_bits* dy, bfloat16_bits* dx, Affine<float> affine,
                    const float* factor, const float* offset, std::int64_t rows, std::int64_t channels) {
  run<gradients<bfloat16_bits, float>>(x, dy, dx, affine, factor, offset, rows, channels);
}

}  // namespace slopegan::kernels
