#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include <ATen/core/Tensor.h>

#include "config/config.h"

/// Latents for generated images: random ones, and walks between them.
namespace slopegan {

/// Draws latents from N(0, 1), float32 [count, latent_dim]. They depend only on (seed, stream, index).
at::Tensor draw_latents(std::uint64_t seed, std::string_view stream, std::int64_t index, std::int64_t count,
                        std::int64_t latent_dim);

/// Returns the latents [count, latent_dim] for all pictures of a run. They depend only on config.seed, so all slopes of
/// a sweep are shown with the same latents. The latents for a smaller count are the first of those for a larger count.
at::Tensor sample_latents(const Config& config, std::int64_t count);

/// A function that returns the latents [count, latent_dim] with the indices first … first + count − 1.
using LatentSource = std::function<at::Tensor(std::int64_t first, std::int64_t count)>;

/// Returns a source of random latents, each of which depends only on the seed and its index.
LatentSource numbered_latents(std::uint64_t seed, std::int64_t latent_dim);

/// Interpolates between two vectors `from` and `to` of the same size d ≥ 1 at `t` ∈ [0, 1] along a great circle of the
/// sphere of radius sqrt(d), to which both are scaled. Normally distributed latents with d dimensions lie near this
/// sphere, whereas the points on the straight line between two of them do not (White 2016, "Sampling Generative
/// Networks"). t = 0 and t = 1 return the scaled ends exactly. Special cases: if the scaled ends are equal, the result
/// is this end for all t; opposite ends are connected through the coordinate axis along which their component is
/// smallest in magnitude; if d = 1 and the ends are opposite, the result is the nearer end; a zero vector counts as the
/// first axis.
at::Tensor slerp(const at::Tensor& from, const at::Tensor& to, double t);

/// A closed path from each latent (station) to the next in equal steps, and from the last station back to the first.
class LatentWalk {
 public:
  /// stations: float32 [K, d], K ≥ 1; steps ≥ 1.
  LatentWalk(at::Tensor stations, std::int64_t steps);

  /// The number of positions, K · steps.
  std::int64_t size() const { return stations_.size(0) * steps_; }
  /// Returns positions first … first + count − 1, float32 [count, d]. Positions beyond size() wrap around.
  at::Tensor latents(std::int64_t first, std::int64_t count) const;

 private:
  at::Tensor stations_;
  std::int64_t steps_;
};

}  // namespace slopegan
