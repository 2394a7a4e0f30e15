#pragma once

#include <bit>
#include <cstdint>

#include "layers/instruction_set.h"

/// Definitions shared by the loops over raw memory (*_kernel.cpp): bfloat16 as bits, the leaky rectifier, and run(),
/// which selects the variant of a loop for the processor's vector width.

// One binary uses the full vector width of every x86-64 machine: each loop is compiled for several instruction sets.
#if defined(__x86_64__)
#define SLOPEGAN_AVX512 __attribute__((target("arch=x86-64-v4")))
#define SLOPEGAN_AVX2 __attribute__((target("arch=x86-64-v3")))
#endif

namespace slopegan::kernels {

#if defined(__x86_64__)
template <auto loop, typename... Arguments>
SLOPEGAN_AVX512 void run_with_avx512(Arguments... arguments) {
  loop(arguments...);
}
template <auto loop, typename... Arguments>
SLOPEGAN_AVX2 void run_with_avx2(Arguments... arguments) {
  loop(arguments...);
}
#endif

/// Calls the variant of `loop` that is compiled for instruction_set(). `loop` must be a function that is always
/// inlined.
template <auto loop, typename... Arguments>
void run(Arguments... arguments) {
#if defined(__x86_64__)
  const InstructionSet set = instruction_set();
  if (set >= InstructionSet::avx512) return run_with_avx512<loop>(arguments...);
  if (set >= InstructionSet::avx2) return run_with_avx2<loop>(arguments...);
#endif
  loop(arguments...);
}

/// bfloat16 is the upper half of a float32. narrow() rounds to nearest, ties to even.
using bfloat16_bits = std::uint16_t;

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

/// The leaky rectifier used by every kernel: x for x > 0, slope · x otherwise. NaN stays NaN. Slope 0 maps zero and
/// negative values to +0, including −∞ (0 · −∞ would be NaN).
template <typename Compute>
[[gnu::always_inline]] inline Compute rectify(Compute x, Compute slope) {
  if (slope == Compute{0}) return x > 0 || x != x ? x : Compute{0};  // NOLINT(misc-redundant-expression): NaN
  return x > 0 ? x : x * slope;
}

/// gradient · f'(x) for the rectifier f. At slope 0 it is 0 for x ≤ 0, even for infinite and NaN gradients.
template <typename Compute>
[[gnu::always_inline]] inline Compute rectify_gradient(Compute gradient, Compute x, Compute slope) {
  if (slope == Compute{0}) return x > 0 ? gradient : Compute{0};
  return x > 0 ? gradient : gradient * slope;
}

}  // namespace slopegan::kernels
