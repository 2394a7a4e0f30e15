#include "layers/leaky_relu_kernel.h"

namespace slopegan::kernels {

namespace {

template <typename T, typename Compute>
[[gnu::always_inline]] inline void forward_loop(const T* input, T* output, std::int64_t count, Compute slope) {
  if (slope == Compute{0}) {  // 0 · (−inf) would be NaN
    for (std::int64_t i = 0; i < count; ++i) {
      const Compute x = load(input[i]);
      store(output[i], x > 0 || x != x ? x : Compute{0});
    }
    return;
  }
  for (std::int64_t i = 0; i < count; ++i) {
    const Compute x = load(input[i]);
    store(output[i], x > 0 ? x : x * slope);
  }
}

template <typename T, typename Compute>
[[gnu::always_inline]] inline void backward_loop(const T* gradient, const T* sign, T* output, std::int64_t count,
                                                 Compute slope) {
  if (slope == Compute{0}) {
    for (std::int64_t i = 0; i < count; ++i) {
      store(output[i], load(sign[i]) > 0 ? load(gradient[i]) : Compute{0});
    }
    return;
  }
  for (std::int64_t i = 0; i < count; ++i) {
    const Compute g = load(gradient[i]);
    store(output[i], load(sign[i]) > 0 ? g : g * slope);
  }
}

}  // namespace

SLOPEGAN_CLONES void leaky_relu(const float* input, float* output, std::int64_t count, float slope) {
  forward_loop(input, output, count, slope);
}
SLOPEGAN_CLONES void leaky_relu(const double* input, double* output, std::int64_t count, double slope) {
  forward_loop(input, output, count, slope);
}
SLOPEGAN_CLONES void leaky_relu(const bfloat16_bits* input, bfloat16_bits* output, std::int64_t count, float slope) {
  forward_loop(input, output, count, slope);
}

SLOPEGAN_CLONES void leaky_relu_backward(const float* gradient, const float* sign, float* output, std::int64_t count,
                                         float slope) {
  backward_loop(gradient, sign, output, count, slope);
}
SLOPEGAN_CLONES void leaky_relu_backward(const double* gradient, const double* sign, double* output, std::int64_t count,
                                         double slope) {
  backward_loop(gradient, sign, output, count, slope);
}
SLOPEGAN_CLONES void leaky_relu_backward(const bfloat16_bits* gradient, const bfloat16_bits* sign,
                                         bfloat16_bits* output, std::int64_t count, float slope) {
  backward_loop(gradient, sign, output, count, slope);
}

}  // namespace slopegan::kernels
