#pragma once

#include <cstdint>

#include "data/dataset.h"
#include "models/compute.h"
#include "models/inference_generator.h"
#include "sampling/latents.h"
#include "sampling/load_generator.h"

/// Generated and real images for a run's pictures. Images are float32 [N, C, R, R] in [−1, 1] on the CPU.
namespace slopegan {

/// Generates images in batches of 64.
at::Tensor generate_images(const InferenceGenerator& generator, const at::Tensor& latents);

/// Generates images with the current weights, in evaluation mode (with running statistics), regardless of the
/// generator's mode.
at::Tensor generate_images(const Generator& generator, const at::Tensor& latents, const Compute& compute);

/// Returns `count` real images as the discriminator sees them. The choice depends only on config.seed and the number of
/// images in the data set.
at::Tensor real_images(const Dataset& dataset, const Config& config, std::int64_t count);

/// Generates images from `count` latents batch by batch. All batches, including the last, are computed with the same
/// number of images, because the rounding in a convolution depends on this number. The bytes of an image therefore do
/// not depend on `count`. Throws StoppedError when the process receives a signal to stop.
class ImageStream {
 public:
  static constexpr std::int64_t batch_size = 64;

  /// Moves the generator to the device.
  ImageStream(LoadedGenerator& loaded, const Compute& compute, LatentSource latents, std::int64_t count);

  /// Returns the next images, at most batch_size, or an undefined tensor at the end.
  at::Tensor next();

  /// The number of images returned so far.
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
