#include "layers/leaky_relu_kernel.h"

#include <bit>

// One binary runs at full vector width on every x86-64: the loader picks the clone that fits the machine. Sanitizers
// cannot run before the loader does, so their builds do without.
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define SLOPEGAN_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define SLOPEGAN_CLONES
#endif

namespace slopegan::kernels {

namespace {

// bfloat16 is the upper half of a float32; the way back rounds to the nearest, ties to even.
[[gnu::always_inline]] inline float widen(bfloat16_bits bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}
[[gnu::always_inline]] inline bfloat16_bits narrow(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
  return static_cast<bfloat16_bits>(value == value ? rounded >> 16 : 0x7fc0u);
}

[[gnu::always_inline]] inline float load(float value) { return value; }
[[gnu::always_inline]] inline double load(double value) { return value; }
[[gnu::always_inline]] inline float load(bfloat16_bits value) { return widen(value); }
[[gnu::always_inline]] inline void store(float& place, float value) { place = value; }
[[gnu::always_inline]] inline void store(double& place, double value) { place = value; }
[[gnu::always_inline]] inline void store(bfloat16_bits& place, float value) { place = narrow(value); }

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
