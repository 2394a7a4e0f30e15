#include "sampling/samples.h"

#include <charconv>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "data/transform.h"
#include "support/random.h"

namespace slopegan {

GridLayout samples_layout(const SamplesConfig& samples) {
  GridLayout layout;
  layout.rows = static_cast<int>(samples.rows);
  layout.columns = static_cast<int>(samples.columns);
  return layout;
}

at::Tensor draw_latents(std::uint64_t seed, std::string_view stream, std::int64_t index, std::int64_t count,
                        std::int64_t latent_dim) {
  auto latents = at::empty({count, latent_dim}, at::TensorOptions(at::kFloat));
  RandomStream(seed, stream, static_cast<std::uint64_t>(index))
      .fill_normal({latents.mutable_data_ptr<float>(), static_cast<std::size_t>(latents.numel())});
  return latents;
}

at::Tensor sample_latents(const Config& config, std::int64_t count) {
  return draw_latents(static_cast<std::uint64_t>(config.seed), "samples/latents", 0, count,
                      config.generator.latent_dim);
}

at::Tensor generate_images(const InferenceGenerator& generator, const at::Tensor& latents) {
  std::vector<at::Tensor> images;
  for (const auto& part : latents.split(64)) images.push_back(generator(part).to(at::kCPU));
  return at::cat(images);
}

at::Tensor generate_images(const Generator& generator, const at::Tensor& latents, const Compute& compute) {
  return generate_images(InferenceGenerator(generator, compute.type), latents);
}

std::set<std::int64_t> sample_counts(const RunPaths& run) {
  std::set<std::int64_t> counts;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(run.samples_dir(), ignored)) {
    const std::string stem = entry.path().stem().string();
    std::int64_t images = 0;
    const auto [end, error] = std::from_chars(stem.data(), stem.data() + stem.size(), images);
    const bool number = error == std::errc() && end == stem.data() + stem.size();
    if (number && entry.path().extension() == ".png") counts.insert(images);
  }
  return counts;
}

at::Tensor real_images(const Dataset& dataset, const Config& config, std::int64_t count) {
  RandomStream stream(static_cast<std::uint64_t>(config.seed), "samples/reals");
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < count; ++i) {
    indices.push_back(static_cast<std::int64_t>(stream.below(static_cast<std::uint32_t>(dataset.size()))));
  }
  return prepare_images(dataset, indices, config.data.resolution);
}

}  // namespace slopegan
