#include "training/image_stream.h"

#include <algorithm>
#include <vector>

#include <ATen/ATen.h>

#include "support/errors.h"
#include "support/signals.h"
#include "support/text.h"
#include "training/gan_step.h"
#include "training/samples.h"

namespace slopegan {

LatentSource numbered_latents(std::uint64_t seed, std::int64_t latent_dim) {
  return [=](std::int64_t first, std::int64_t count) {
    std::vector<at::Tensor> latents;
    for (std::int64_t i = first; i < first + count; ++i) {
      latents.push_back(draw_latents(seed, "generate/latents", i, 1, latent_dim));
    }
    return at::cat(latents);
  };
}

ImageStream::ImageStream(LoadedGenerator& loaded, const Compute& compute, LatentSource latents, std::int64_t count)
    : loaded_(loaded), compute_(compute), latents_(std::move(latents)), count_(count) {
  loaded_.generator->to(compute_.device);
}

std::int64_t ImageStream::channels() const { return loaded_.generator->blocks.back()->conv->options().out_channels; }

at::Tensor ImageStream::next() {
  if (done_ == count_) return {};
  if (const int signal = stop_signal()) {
    throw StoppedError(signal, format("stopped after %lld of %lld images", static_cast<long long>(done_),
                                      static_cast<long long>(count_)));
  }
  const auto images = generate_images(loaded_.generator, latents_(done_, batch_size), compute_);
  const auto wanted = std::min(batch_size, count_ - done_);
  done_ += wanted;
  return images.narrow(0, 0, wanted);
}

}  // namespace slopegan
