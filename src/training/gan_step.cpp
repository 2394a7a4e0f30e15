#include "training/gan_step.h"

#include <cmath>

#include <ATen/ATen.h>

#include "distributed/data_parallel.h"
#include "training/divergence.h"

namespace slopegan {

namespace {

/// Reads device scalars with one host synchronisation; undefined ones are read as 0. The first one must be defined.
std::vector<double> read_scalars(const std::vector<at::Tensor>& scalars) {
  std::vector<double> numbers;
  if (scalars.front().is_cpu()) {
    for (const auto& scalar : scalars) numbers.push_back(scalar.defined() ? scalar.item<double>() : 0);
    return numbers;
  }
  std::vector<at::Tensor> defined;
  for (const auto& scalar : scalars) {
    if (scalar.defined()) defined.push_back(scalar.to(at::kDouble));
  }
  const auto values = at::stack(defined).to(at::kCPU);
  std::int64_t next = 0;
  for (const auto& scalar : scalars) {
    numbers.push_back(scalar.defined() ? values.const_data_ptr<double>()[next++] : 0);
  }
  return numbers;
}

}  // namespace

GanStep::GanStep(GanState& state, const Config& config, const Compute& compute, DataParallel* parallel)
    : state_(state),
      config_(config),
      compute_(compute),
      parallel_(parallel),
      recorded_(state, !parallel && state.generator->is_repeatable() && state.discriminator->is_repeatable(),
                [&state, &loss = config.loss, parallel](const StepInputs& inputs) {
                  return compute_batch(state, loss, inputs, parallel);
                }) {}

StepStats GanStep::take(const std::vector<RealImages>& real_batches) {
  TORCH_CHECK(!real_batches.empty(), "a step needs at least one batch");
  const std::int64_t images_before = state_.images_seen;
  std::int64_t images = 0;
  for (const auto& batch : real_batches) images += batch.part.total;
  state_.generator->set_images(images_before);
  state_.discriminator->set_images(images_before);
  const double factor = learning_rate_factor(config_.optimizer, config_.training.total_images, images_before, images);
  state_.generator_optimizer.set_rate_factor(factor);
  state_.discriminator_optimizer.set_rate_factor(factor);

  StepStats stats;
  for (std::size_t i = 0; i < real_batches.size(); ++i) {
    const bool last = i + 1 == real_batches.size();  // only the last generated batch trains the generator
    take_batch(draw_step_inputs(state_, config_, compute_, real_batches[i], static_cast<std::int64_t>(i), last), stats);
  }
  ++state_.steps;
  if (state_.ema_generator) {
    const double decay = ema_decay(config_.ema.half_life_images, state_.images_seen, images);
    update_ema(*state_.ema_generator, *state_.generator, decay);
  }
  return stats;
}

void GanStep::take_batch(const StepInputs& inputs, StepStats& stats) {
  const auto results = recorded_.run(inputs);
  const auto numbers = read_scalars({results.discriminator_loss, results.d_real, results.d_fake,
                                     results.gradient_penalty, results.discriminator_gradient_norm,
                                     results.generator_loss, results.generator_gradient_norm, results.weight_norms});
  const StepImages images{inputs.latents, inputs.real, results.fake};
  stats.discriminator_loss = numbers[0];
  stats.d_real = numbers[1];
  stats.d_fake = numbers[2];
  // If this batch has no penalty, the penalty of an earlier batch of the step is kept.
  if (results.gradient_penalty.defined()) stats.gradient_penalty = numbers[3];
  stats.discriminator_gradient_norm = numbers[4];
  // If a loss is not finite, check_loss runs the networks again, on each rank separately.
  if (parallel_ && !std::isfinite(numbers[0] + numbers[3] + numbers[5])) parallel_->disable_sync();
  check_loss(numbers[0], "the discriminator's loss", state_, images);
  check_loss(numbers[3], "the gradient penalty", state_, images);
  check_gradients(numbers[4], state_.discriminator_optimizer, "discriminator", state_);
  state_.images_seen += inputs.part.total;
  if (!inputs.trains_generator) return;
  stats.generator_loss = numbers[5];
  stats.generator_gradient_norm = numbers[6];
  check_loss(numbers[5], "the generator's loss", state_, images);
  check_gradients(numbers[6], state_.generator_optimizer, "generator", state_);
  check_weights(numbers[7], state_);
}

StepStats gan_step(GanState& state, const Config& config, const Compute& compute,
                   const std::vector<RealImages>& real_batches, DataParallel* parallel) {
  return GanStep(state, config, compute, parallel).take(real_batches);
}

void take_trial_step(GanState& state, const Config& config, const Compute& compute,
                     const std::vector<RealImages>& real_batches) {
  const std::int64_t end = state.images_seen, full = full_step_images(config);
  gan_step(state, config, compute, real_batches);
  if (end == 0) return;
  const std::int64_t last = end % full == 0 ? full : end % full;
  const double factor = learning_rate_factor(config.optimizer, config.training.total_images, end - last, last);
  state.generator_optimizer.set_rate_factor(factor);
  state.discriminator_optimizer.set_rate_factor(factor);
}

}  // namespace slopegan
