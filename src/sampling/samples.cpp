#include "sampling/samples.h"

#include <algorithm>
#include <vector>

#include <ATen/ATen.h>

#include "data/transform.h"
#include "support/errors.h"
#include "support/random.h"
#include "support/signals.h"
#include "support/text.h"

namespace slopegan {

at::Tensor generate_images(const InferenceGenerator& generator, const at::Tensor& latents) {
  std::vector<at::Tensor> images;
  for (const auto& part : latents.split(64)) images.push_back(generator(part).to(at::kCPU));
  return at::cat(images);
}

at::Tensor generate_images(const Generator& generator, const at::Tensor& latents, const Compute& compute) {
  return generate_images(InferenceGenerator(generator, compute.type), latents);
}

at::Tensor real_images(const Dataset& dataset, const Config& config, std::int64_t count) {
  RandomStream stream(static_cast<std::uint64_t>(config.seed), "samples/reals");
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < count; ++i) {
    indices.push_back(static_cast<std::int64_t>(stream.below(static_cast<std::uint32_t>(dataset.size()))));
  }
  return prepare_images(dataset, indices, config.data.resolution);
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
