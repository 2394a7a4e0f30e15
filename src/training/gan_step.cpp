#include "training/gan_step.h"

#include <cmath>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "losses/adversarial.h"
#include "support/errors.h"
#include "support/random.h"
#include "support/text.h"
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

/// The step's own view of where it is, for the message of a divergence.
struct Position {
  std::int64_t step, images;
};

double check_loss(const at::Tensor& loss, const char* name, Position at) {
  const double value = loss.item<double>();
  if (!std::isfinite(value)) {
    throw DivergedError(format("training diverged at step %lld (%lld images): the %s loss is %s",
                               static_cast<long long>(at.step), static_cast<long long>(at.images), name,
                               std::isnan(value) ? "NaN" : "infinite"));
  }
  return value;
}

double check_gradients(const Adam& optimizer, const char* network, Position at) {
  std::vector<at::Tensor> gradients;
  for (const auto& slot : optimizer.slots()) {
    if (slot.parameter.grad().defined()) gradients.push_back(slot.parameter.grad());
  }
  if (gradients.empty()) return 0;
  const double norm = at::stack(at::_foreach_norm(gradients)).to(at::kDouble).norm().item<double>();
  if (std::isfinite(norm)) return norm;
  for (const auto& slot : optimizer.slots()) {
    if (slot.parameter.grad().defined() && !at::isfinite(slot.parameter.grad()).all().item<bool>()) {
      throw DivergedError(format("training diverged at step %lld (%lld images): the gradient of %s.%s is not finite",
                                 static_cast<long long>(at.step), static_cast<long long>(at.images), network,
                                 slot.name.c_str()));
    }
  }
  throw DivergedError(format("training diverged at step %lld (%lld images): the gradients of the %s overflow",
                             static_cast<long long>(at.step), static_cast<long long>(at.images), network));
}

void require_gradients(const Adam& optimizer, bool required) {
  for (const auto& slot : optimizer.slots()) slot.parameter.set_requires_grad(required);
}

void discriminator_step(GanState& state, const Config& config, const at::Tensor& real, const at::Tensor& fake,
                        Position at, StepStats& stats) {
  state.discriminator_optimizer.zero_gradients();
  const auto real_logits = state.discriminator->forward(real);
  const auto fake_logits = state.discriminator->forward(fake);
  const auto loss = discriminator_loss(config.loss, real_logits, fake_logits);
  stats.discriminator_loss = check_loss(loss, "discriminator's", at);
  stats.d_real = mean_probability(real_logits);
  stats.d_fake = mean_probability(fake_logits);
  loss.backward();
  stats.discriminator_gradient_norm = check_gradients(state.discriminator_optimizer, "discriminator", at);
  state.discriminator_optimizer.step();
}

void generator_step(GanState& state, const Config& config, const at::Tensor& fake, Position at, StepStats& stats) {
  state.generator_optimizer.zero_gradients();
  // The gradient passes through the discriminator; those of its own weights would be thrown away.
  require_gradients(state.discriminator_optimizer, false);
  const auto loss = generator_loss(config.loss, state.discriminator->forward(fake));
  stats.generator_loss = check_loss(loss, "generator's", at);
  loss.backward();
  require_gradients(state.discriminator_optimizer, true);
  stats.generator_gradient_norm = check_gradients(state.generator_optimizer, "generator", at);
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
  at::Tensor fake;
  for (const auto& batch : real_batches) {
    const Position at{state.steps, state.images_seen};
    const auto latents = draw_latents(seed, "latents", state.images_seen, batch.size(0), config.generator.latent_dim);
    const bool last = &batch == &real_batches.back();
    {
      const at::AutoGradMode gradients(last);  // only the last generated batch trains the generator
      fake = to_compute(state.generator->forward(to_compute(latents, compute)), compute);
    }
    discriminator_step(state, config, to_compute(batch, compute), fake.detach(), at, stats);
    state.images_seen += batch.size(0);
  }
  generator_step(state, config, fake, {state.steps, state.images_seen}, stats);
  ++state.steps;
  if (state.average_generator) {
    const double decay = ema_decay(config.ema.half_life_images, state.images_seen, state.images_seen - images_before);
    update_ema(*state.average_generator, *state.generator, decay);
  }
  return stats;
}

}  // namespace slopegan
