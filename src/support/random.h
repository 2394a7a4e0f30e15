#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace slopegan {

/// Philox4x32-10 (Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3"), a stateless generator that
/// computes four random words from a counter and a key.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// A stream of random numbers that is a pure function of (seed, name, index). Checkpoints therefore need no generator
/// state, a resumed run draws the same numbers as an uninterrupted one, and the arms of a sweep that differ only in the
/// slope draw the same numbers. The index, such as a number of images or epochs, never depends on threads or time.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::string_view name, std::uint64_t index = 0);

  std::uint32_t next();
  /// Uniform on {0, …, bound − 1} without bias (Lemire 2019). Requires bound > 0.
  std::uint32_t below(std::uint32_t bound);
  /// Uniform on [0, 1) with 24 random bits.
  float uniform();

  /// Fills `values` with samples of N(0, 1) (Box–Muller transform).
  void fill_normal(std::span<float> values);
  /// Fills `values` with samples of the uniform distribution on [low, high).
  void fill_uniform(std::span<float> values, float low, float high);

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  std::size_t used_ = 4;
};

/// A random permutation of 0 … count − 1 (Fisher–Yates shuffle) that is a pure function of the arguments.
std::vector<std::uint32_t> keyed_permutation(std::uint64_t seed, std::string_view name, std::uint64_t index,
                                             std::uint32_t count);

/// A random sample of `count` of the numbers 0 … size − 1, in ascending order; all of them if `count` is not smaller
/// than `size`. A pure function of the arguments.
std::vector<std::int64_t> sorted_sample(std::uint64_t seed, std::string_view name, std::int64_t size,
                                        std::int64_t count);

}  // namespace slopegan
