#pragma once

#include <cstdint>
#include <functional>

#include "models/compute.h"
#include "models/inference_generator.h"
#include "sampling/load_generator.h"

namespace slopegan {

/// `count` latents from number `first` on, [count, latent_dim].
using LatentSource = std::function<at::Tensor(std::int64_t first, std::int64_t count)>;

/// Latents for images that are numbered: each is a function of the seed and its number alone.
LatentSource numbered_latents(std::uint64_t seed, std::int64_t latent_dim);

/// The images of `count` latents, a batch at a time. All batches are computed with the same number of images, also the
/// last one, because the rounding of a convolution depends on it: so an image is the same bytes however many are asked
/// for. Throws StoppedError when a signal asks to stop.
class ImageStream {
 public:
  static constexpr std::int64_t batch_size = 64;

  /// Moves the generator to the device.
  ImageStream(LoadedGenerator& loaded, const Compute& compute, LatentSource latents, std::int64_t count);

  /// At most batch_size images, float32 [n, C, R, R] on the CPU; undefined at the end.
  at::Tensor next();

  /// Images given so far.
  std::int64_t done() const { return done_; }
  std::int64_t count() const { return count_; }
  std::int64_t channels() const { return channels_; }
  std::int64_t resolution() const { return resolution_; }

 private:
  InferenceGenerator generator_;
  LatentSource latents_;
  std::int64_t count_, channels_, resolution_, done_ = 0;
};

}  // namespace slopegan
