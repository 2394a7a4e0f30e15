#include "training/gan_step.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "losses/adversarial.h"
#include "support/random.h"
#include "training/divergence.h"
#include "training/ema.h"

namespace slopegan {

at::Tensor draw_latents(std::uint64_t seed, std::string_view stream, std::int64_t index, std::int64_t count,
                        std::int64_t latent_dim) {
  auto latents = at::empty({count, latent_dim}, at::TensorOptions(at::kFloat));
  RandomStream(seed, stream, static_cast<std::uint64_t>(index))
      .fill_normal({latents.mutable_data_ptr<float>(), static_cast<std::size_t>(latents.numel())});
  return latents;
}

namespace {

double mean_probability(const at::Tensor& logits) { return at::sigmoid(logits.detach()).mean().item<double>(); }

void require_gradients(const Adam& optimizer, bool required) {
  for (const auto& slot : optimizer.slots()) slot.parameter.set_requires_grad(required);
}

void discriminator_step(GanState& state, const Config& config, const StepInputs& inputs, StepStats& stats) {
  state.discriminator_optimizer.zero_gradients();
  const auto real_logits = state.discriminator->forward(inputs.real);
  const auto fake_logits = state.discriminator->forward(inputs.fake.detach());
  const auto loss = discriminator_loss(config.loss, real_logits, fake_logits);
  stats.discriminator_loss = check_loss(loss, "discriminator's", state, inputs);
  stats.d_real = mean_probability(real_logits);
  stats.d_fake = mean_probability(fake_logits);
  loss.backward();
  stats.discriminator_gradient_norm = check_gradients(state.discriminator_optimizer, "discriminator", state);
  state.discriminator_optimizer.step();
}

void generator_step(GanState& state, const Config& config, const StepInputs& inputs, StepStats& stats) {
  state.generator_optimizer.zero_gradients();
  // The gradient passes through the discriminator; those of its own weights would be thrown away.
  require_gradients(state.discriminator_optimizer, false);
  const auto loss = generator_loss(config.loss, state.discriminator->forward(inputs.fake));
  stats.generator_loss = check_loss(loss, "generator's", state, inputs);
  loss.backward();
  require_gradients(state.discriminator_optimizer, true);
  stats.generator_gradient_norm = check_gradients(state.generator_optimizer, "generator", state);
  state.generator_optimizer.step();
}

}  // namespace

StepStats gan_step(GanState& state, const Config& config, const Compute& compute,
                   const std::vector<at::Tensor>& real_batches) {
  TORCH_CHECK(!real_batches.empty(), "a step needs at least one batch");
  const auto seed = static_cast<std::uint64_t>(config.seed);
  const std::int64_t images_before = state.images_seen;
  state.generator->set_images(images_before);
  state.discriminator->set_images(images_before);

  StepStats stats;
  StepInputs inputs;
  for (const auto& batch : real_batches) {
    const auto latents = draw_latents(seed, "latents", state.images_seen, batch.size(0), config.generator.latent_dim);
    inputs.latents = to_compute(latents, compute);
    inputs.real = to_compute(batch, compute);
    const bool last = &batch == &real_batches.back();
    {
      const at::AutoGradMode gradients(last);  // only the last generated batch trains the generator
      inputs.fake = to_compute(state.generator->forward(inputs.latents), compute);
    }
    discriminator_step(state, config, inputs, stats);
    state.images_seen += batch.size(0);
  }
  generator_step(state, config, inputs, stats);
  check_weights(state);
  ++state.steps;
  if (state.average_generator) {
    const double decay = ema_decay(config.ema.half_life_images, state.images_seen, state.images_seen - images_before);
    update_ema(*state.average_generator, *state.generator, decay);
  }
  return stats;
}

}  // namespace slopegan
