#include "training/step_inputs.h"

#include <memory>
#include <utility>

#include <ATen/ATen.h>

#include "losses/losses.h"
#include "sampling/samples.h"
#include "support/random.h"

namespace slopegan {

static BatchStreamOptions stream_options(const Config& config, const Compute& compute, const Dataset& dataset,
                                         std::int64_t images_seen, int rank, int ranks) {
  BatchStreamOptions options;
  // A non-owning pointer: the data set outlives the stream.
  options.dataset = std::shared_ptr<const Dataset>(std::shared_ptr<const Dataset>(), &dataset);
  options.seed = static_cast<std::uint64_t>(config.seed);
  options.rank = rank;
  options.world_size = ranks;
  options.batch_size = config.training.batch_size;
  options.resolution = config.data.resolution;
  options.flip = config.data.flip;
  options.images_seen = images_seen;
  options.total_images = config.training.total_images;
  options.pinned = compute.device.is_cuda();
  return options;
}

RealBatches::RealBatches(const Config& config, const Compute& compute, const Dataset& dataset, std::int64_t images_seen,
                         int rank, int ranks)
    : config_(config),
      position_(images_seen),
      stream_(stream_options(config, compute, dataset, images_seen, rank, ranks)) {}

std::vector<RealImages> RealBatches::next() {
  std::vector<RealImages> batches;
  for (std::int64_t i = 0; i < config_.optimizer.discriminator_steps && position_ < config_.training.total_images;
       ++i) {
    auto batch = stream_.next();
    batches.emplace_back(std::move(batch.images), batch.part);
    position_ += batch.part.total;
  }
  return batches;
}

std::vector<at::Tensor*> StepInputs::tensors() {
  std::vector<at::Tensor*> all{&real, &latents, &label_noise, &interpolation};
  for (auto* draws : {&of_real, &of_fake, &of_real_for_generator, &of_fake_for_generator}) {
    for (auto* tensor : draws->tensors()) all.push_back(tensor);
  }
  return all;
}

StepInputs draw_step_inputs(const GanState& state, const Config& config, const Compute& compute,
                            const RealImages& batch, std::int64_t index, bool trains_generator) {
  const auto seed = static_cast<std::uint64_t>(config.seed);
  const auto& loss = config.loss;
  const Part part = batch.part;
  const auto own_part = [&](const at::Tensor& of_batch) { return of_batch.narrow(0, part.first, part.count); };
  const auto uniform = [&](std::string_view stream, float low, float high) {
    auto values = at::empty({part.total}, at::kFloat);
    RandomStream(seed, stream, static_cast<std::uint64_t>(state.images_seen))
        .fill_uniform({values.mutable_data_ptr<float>(), static_cast<std::size_t>(part.total)}, low, high);
    return own_part(values).to(compute.device, values.scalar_type(), /*non_blocking=*/true);
  };

  StepInputs inputs;
  inputs.part = part;
  inputs.trains_generator = trains_generator;
  const std::int64_t step = state.steps * config.optimizer.discriminator_steps + index;
  inputs.penalty_factor =
      (loss.r1 > 0 || loss.r2 > 0) && step % loss.r1_every == 0 ? static_cast<double>(loss.r1_every) : 0;
  inputs.real = to_compute(batch.images, compute);
  inputs.latents = to_compute(
      own_part(draw_latents(seed, "latents", state.images_seen, part.total, config.generator.latent_dim)), compute);
  if (loss.label_noise > 0 && has_targets(loss.kind)) {
    const auto reach = static_cast<float>(loss.label_noise);
    inputs.label_noise = uniform("label noise", -reach, reach);
  }
  if (loss.gradient_penalty > 0) inputs.interpolation = uniform("interpolation", 0, 1);

  // The discriminator is updated first, and its update adds the batch to images_seen. The augmentations for the
  // generator's update are therefore keyed by the increased count.
  const auto augmentation = [&](std::string_view stream, std::int64_t images_seen) {
    return draw_augmentation(inputs.real, config.discriminator.augment,
                             RandomStream(seed, stream, static_cast<std::uint64_t>(images_seen)), part);
  };
  inputs.of_real = augmentation("augmentation of real images", state.images_seen);
  inputs.of_fake = augmentation("augmentation of generated images", state.images_seen);
  if (!trains_generator) return inputs;
  const std::int64_t then = state.images_seen + part.total;
  if (needs_real_logits(loss.kind)) {
    inputs.of_real_for_generator = augmentation("augmentation of real images for the generator", then);
  }
  inputs.of_fake_for_generator = augmentation("augmentation of generated images for the generator", then);
  return inputs;
}

}  // namespace slopegan
