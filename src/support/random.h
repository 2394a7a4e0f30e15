#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace slopegan {

/// Philox4x32-10 (Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3"): four random words from a counter
/// and a key, without any state.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// A stream of random numbers that is a pure function of (seed, stream name, index): nothing about it needs to be
/// saved, a resumed run draws what the uninterrupted one would have drawn, and arms of a sweep that differ in the slope
/// alone draw the same numbers. The index is an image count or a number of an epoch, never a thread or a wall clock.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::string_view name, std::uint64_t index = 0);

  std::uint32_t next();
  /// Uniform on {0, …, bound − 1} without bias (Lemire 2019); bound > 0.
  std::uint32_t below(std::uint32_t bound);
  /// Uniform on [0, 1), 24 bits.
  float uniform();

  /// N(0, 1) by Box and Muller.
  void fill_normal(std::span<float> values);
  /// Uniform on [low, high).
  void fill_uniform(std::span<float> values, float low, float high);

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  std::size_t used_ = 4;
};

/// A permutation of 0 … count − 1 (Fisher and Yates), a pure function of its arguments like the stream.
std::vector<std::uint32_t> keyed_permutation(std::uint64_t seed, std::string_view name, std::uint64_t index,
                                             std::uint32_t count);

}  // namespace slopegan
