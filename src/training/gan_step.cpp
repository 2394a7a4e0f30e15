#include "training/gan_step.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "losses/adversarial.h"
#include "losses/penalties.h"
#include "support/random.h"
#include "training/augmentation.h"
#include "training/data_parallel.h"
#include "training/divergence.h"
#include "training/ema.h"
#include "training/learning_rate.h"

namespace slopegan {

at::Tensor draw_latents(std::uint64_t seed, std::string_view stream, std::int64_t index, std::int64_t count,
                        std::int64_t latent_dim) {
  auto latents = at::empty({count, latent_dim}, at::TensorOptions(at::kFloat));
  RandomStream(seed, stream, static_cast<std::uint64_t>(index))
      .fill_normal({latents.mutable_data_ptr<float>(), static_cast<std::size_t>(latents.numel())});
  return latents;
}

namespace {

at::Tensor mean_probability(const at::Tensor& logits) { return at::sigmoid(logits.detach()).mean(); }

void require_gradients(const Adam& optimizer, bool required) {
  for (const auto& slot : optimizer.slots()) slot.parameter.set_requires_grad(required);
}

/// What a step does to the state, in order. All of its random numbers are keyed by (seed, images seen) and drawn for
/// the whole batch, of which a process takes its part.
class Step {
 public:
  Step(GanState& state, const Config& config, const Compute& compute, DataParallel* parallel)
      : state_(state), config_(config), loss_(config.loss), compute_(compute), parallel_(parallel) {}

  StepStats run(const std::vector<RealImages>& real_batches) {
    std::int64_t images = 0;
    for (const auto& batch : real_batches) images += batch.part.total;
    rate_factor_ = learning_rate_factor(config_.optimizer, config_.training.total_images, state_.images_seen, images);
    for (const auto& batch : real_batches) {
      const bool last = &batch == &real_batches.back();
      make_inputs(batch, last);  // only the last generated batch trains the generator
      train_discriminator(&batch - real_batches.data());
      state_.images_seen += batch.part.total;
    }
    train_generator();
    return stats_;
  }

 private:
  RandomStream random(std::string_view stream) const {
    return {static_cast<std::uint64_t>(config_.seed), stream, static_cast<std::uint64_t>(state_.images_seen)};
  }

  at::Tensor own(const at::Tensor& of_batch) const { return of_batch.narrow(0, part_.first, part_.count); }

  /// A uniform number for each image.
  at::Tensor uniform(std::string_view stream, float low, float high) const {
    auto values = at::empty({part_.total}, at::kFloat);
    random(stream).fill_uniform({values.mutable_data_ptr<float>(), static_cast<std::size_t>(part_.total)}, low, high);
    return own(values).to(compute_.device);
  }

  void make_inputs(const RealImages& batch, bool for_generator) {
    part_ = batch.part;
    const auto latents = draw_latents(static_cast<std::uint64_t>(config_.seed), "latents", state_.images_seen,
                                      part_.total, config_.generator.latent_dim);
    inputs_.latents = to_compute(own(latents), compute_);
    inputs_.real = to_compute(batch.images, compute_);
    const at::AutoGradMode gradients(for_generator);
    inputs_.fake = to_compute(state_.generator->forward(inputs_.latents), compute_);
  }

  /// The images as the discriminator sees them, as a leaf that requires gradients where `penalised`.
  at::Tensor seen(const at::Tensor& images, std::string_view stream, bool penalised) const {
    auto changed = augment(images, config_.discriminator.augment, random(stream), part_);
    return penalised ? changed.detach().requires_grad_(true) : changed;
  }

  void train_discriminator(std::int64_t index) {
    state_.discriminator_optimizer.zero_gradients();
    const std::int64_t step = state_.steps * config_.optimizer.discriminator_steps + index;
    const double lazy = step % loss_.r1_every == 0 ? static_cast<double>(loss_.r1_every) : 0;
    const auto real = seen(inputs_.real, "augmentation of real images", loss_.r1 * lazy > 0);
    const auto fake = seen(inputs_.fake.detach(), "augmentation of generated images", loss_.r2 * lazy > 0);
    const auto real_logits = state_.discriminator->forward(real);
    const auto fake_logits = state_.discriminator->forward(fake);
    auto total = discriminator_loss(loss_, real_logits, fake_logits, label_noise());
    const auto means = of_batch({total, mean_probability(real_logits), mean_probability(fake_logits)});
    stats_.discriminator_loss = check_loss(means[0], "the discriminator's loss", state_, inputs_);
    stats_.d_real = means[1].item<double>();
    stats_.d_fake = means[2].item<double>();

    at::Tensor penalty;
    const auto add = [&](double weight, const at::Tensor& value) {
      penalty = penalty.defined() ? penalty + weight * value : weight * value;
    };
    if (loss_.r1 * lazy > 0) add(loss_.r1 * lazy / 2, squared_gradient_norm(real_logits, real));
    if (loss_.r2 * lazy > 0) add(loss_.r2 * lazy / 2, squared_gradient_norm(fake_logits, fake));
    if (loss_.gradient_penalty > 0) add(loss_.gradient_penalty, penalty_between(real, fake));
    stats_.gradient_penalty.reset();
    if (penalty.defined()) {
      stats_.gradient_penalty = check_loss(of_batch({penalty}).front(), "the gradient penalty", state_, inputs_);
      total = total + penalty;
    }
    backward(total, state_.discriminator_optimizer);
    stats_.discriminator_gradient_norm = check_gradients(state_.discriminator_optimizer, "discriminator", state_);
    state_.discriminator_optimizer.step(rate_factor_);
  }

  at::Tensor label_noise() const {
    if (loss_.label_noise == 0 || !has_targets(loss_.kind)) return {};
    const auto reach = static_cast<float>(loss_.label_noise);
    return uniform("label noise", -reach, reach);
  }

  at::Tensor penalty_between(const at::Tensor& real, const at::Tensor& fake) {
    const auto between = interpolate_images(real, fake, uniform("interpolation", 0, 1));
    return unit_gradient_penalty(state_.discriminator->forward(between), between);
  }

  void train_generator() {
    state_.generator_optimizer.zero_gradients();
    // The gradient passes through the discriminator; those of its own weights would be thrown away.
    require_gradients(state_.discriminator_optimizer, false);
    at::Tensor real_logits;
    if (needs_real_logits(loss_.kind)) {
      real_logits =
          state_.discriminator->forward(seen(inputs_.real, "augmentation of real images for the generator", false));
    }
    const auto fake = seen(inputs_.fake, "augmentation of generated images for the generator", false);
    const auto loss = generator_loss(loss_, state_.discriminator->forward(fake), real_logits);
    stats_.generator_loss = check_loss(of_batch({loss}).front(), "the generator's loss", state_, inputs_);
    backward(loss, state_.generator_optimizer);
    require_gradients(state_.discriminator_optimizer, true);
    stats_.generator_gradient_norm = check_gradients(state_.generator_optimizer, "generator", state_);
    state_.generator_optimizer.step(rate_factor_);
  }

  /// Scalars that are means over the images of this process, as means over the batch.
  std::vector<at::Tensor> of_batch(std::vector<at::Tensor> means) const {
    return parallel_ ? parallel_->means_of_batch(means, part_) : std::move(means);
  }

  /// The gradients of a loss that is a mean over the images.
  void backward(const at::Tensor& loss, const Adam& optimizer) const {
    if (parallel_) {
      parallel_->backward(loss, part_, optimizer);
    } else {
      loss.backward();
    }
  }

  GanState& state_;
  const Config& config_;
  const LossConfig& loss_;
  const Compute& compute_;
  DataParallel* parallel_;
  Part part_;  ///< of the batch in inputs_
  double rate_factor_ = 1;
  StepInputs inputs_;
  StepStats stats_;
};

}  // namespace

StepStats gan_step(GanState& state, const Config& config, const Compute& compute,
                   const std::vector<RealImages>& real_batches, DataParallel* parallel) {
  TORCH_CHECK(!real_batches.empty(), "a step needs at least one batch");
  const std::int64_t images_before = state.images_seen;
  state.generator->set_images(images_before);
  state.discriminator->set_images(images_before);
  const StepStats stats = Step(state, config, compute, parallel).run(real_batches);
  check_weights(state);
  ++state.steps;
  if (state.average_generator) {
    const double decay = ema_decay(config.ema.half_life_images, state.images_seen, state.images_seen - images_before);
    update_ema(*state.average_generator, *state.generator, decay);
  }
  return stats;
}

}  // namespace slopegan
