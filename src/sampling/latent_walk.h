#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace slopegan {

/// The point at `t` ∈ [0, 1] of the way from `from` to `to` (1-d, of one size d ≥ 1) along the great circle of the
/// sphere of radius sqrt(d), on to which both are scaled: normal latents of d dimensions lie near it, and points of the
/// straight line between two of them do not (White 2016, "Sampling Generative Networks"). 0 and 1 give the scaled ends
/// exactly. Between equal ends nothing moves; opposite ends have no shortest way, and take the one through the axis
/// that they point least along; with d = 1 there is no way, and the nearer end is given. A zero vector counts as the
/// first axis.
at::Tensor slerp(const at::Tensor& from, const at::Tensor& to, double t);

/// A round trip: from each station to the next in so many equal steps, and from the last back to the first.
class LatentWalk {
 public:
  /// stations: float32 [K, d], K ≥ 1; steps ≥ 1.
  LatentWalk(at::Tensor stations, std::int64_t steps);

  /// K · steps; the one behind the last is the first again.
  std::int64_t size() const { return stations_.size(0) * steps_; }
  /// float32 [count, d]: positions first … first + count − 1, which may lie beyond size() and then begin anew.
  at::Tensor latents(std::int64_t first, std::int64_t count) const;

 private:
  at::Tensor stations_;
  std::int64_t steps_;
};

}  // namespace slopegan
