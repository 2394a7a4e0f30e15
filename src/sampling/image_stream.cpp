#include "sampling/image_stream.h"

#include <algorithm>
#include <vector>

#include <ATen/ATen.h>

#include "sampling/samples.h"
#include "support/errors.h"
#include "support/signals.h"
#include "support/text.h"

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

static InferenceGenerator on_device(Generator& generator, const Compute& compute) {
  generator->to(compute.device);
  return InferenceGenerator(generator, compute.type);
}

ImageStream::ImageStream(LoadedGenerator& loaded, const Compute& compute, LatentSource latents, std::int64_t count)
    : generator_(on_device(loaded.generator, compute)),
      latents_(std::move(latents)),
      count_(count),
      channels_(loaded.generator->blocks.back()->conv->options().out_channels),
      resolution_(loaded.config.data.resolution) {}

at::Tensor ImageStream::next() {
  if (done_ == count_) return {};
  if (const int signal = stop_signal()) {
    throw StoppedError(signal, format_text("stopped after {} of {} images", done_, count_));
  }
  const auto images = generate_images(generator_, latents_(done_, batch_size));
  const auto wanted = std::min(batch_size, count_ - done_);
  done_ += wanted;
  return images.narrow(0, 0, wanted);
}

}  // namespace slopegan
