#include "training/batch_step.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "distributed/data_parallel.h"
#include "losses/losses.h"
#include "training/divergence.h"

namespace slopegan {

namespace {

at::Tensor mean_probability(const at::Tensor& logits) { return at::sigmoid(logits.detach()).mean(); }

/// Disables the gradients of an optimiser's parameters for the lifetime of the object.
class WithoutGradients {
 public:
  explicit WithoutGradients(const Adam& optimizer) : optimizer_(optimizer) { require(false); }
  ~WithoutGradients() { require(true); }
  WithoutGradients(const WithoutGradients&) = delete;
  WithoutGradients& operator=(const WithoutGradients&) = delete;

 private:
  void require(bool required) const {
    for (const auto& slot : optimizer_.slots()) slot.parameter.set_requires_grad(required);
  }

  const Adam& optimizer_;
};

/// Augments images for the discriminator. With `penalised`, the result is a leaf that requires gradients.
at::Tensor augment_for_discriminator(const at::Tensor& images, const AugmentationDraws& draws, bool penalised = false) {
  auto changed = augment(images, draws);
  return penalised ? changed.detach().requires_grad_(true) : changed;
}

class BatchStep {
 public:
  BatchStep(GanState& state, const LossConfig& loss, const StepInputs& inputs, DataParallel* parallel)
      : state_(state), loss_(loss), inputs_(inputs), parallel_(parallel) {}

  BatchResults run() {
    {
      const at::AutoGradMode gradients(inputs_.trains_generator);
      const auto& real = inputs_.real;
      fake_ = state_.generator->forward(inputs_.latents)
                  .to(real.scalar_type(), false, false, at::MemoryFormat::ChannelsLast);
    }
    results_.fake = fake_.detach();
    train_discriminator();
    if (inputs_.trains_generator) {
      train_generator();
      results_.weight_norms = weight_norms(state_);
    }
    return results_;
  }

 private:
  void train_discriminator() {
    state_.discriminator_optimizer.zero_gradients();
    const double r1 = loss_.r1 * inputs_.penalty_factor, r2 = loss_.r2 * inputs_.penalty_factor;
    const auto real = augment_for_discriminator(inputs_.real, inputs_.of_real, r1 > 0);
    const auto fake = augment_for_discriminator(fake_.detach(), inputs_.of_fake, r2 > 0);
    at::Tensor penalty;
    const auto add = [&](double weight, const at::Tensor& value) {
      penalty = penalty.defined() ? penalty + weight * value : weight * value;
    };
    const auto real_logits = state_.discriminator->forward(real);
    if (r1 > 0) add(r1 / 2, squared_gradient_norm(real_logits, real));
    at::Tensor real_loss;
    if (can_free_real_graph()) {
      // This frees the graph for the real images before the graph for the generated images is built, to save memory.
      real_loss = loss_for_real(loss_, real_logits, inputs_.label_noise);
      (penalty.defined() ? real_loss + penalty : real_loss).backward();
      real_loss = real_loss.detach();
      if (penalty.defined()) penalty = penalty.detach();
    }
    const auto fake_logits = state_.discriminator->forward(fake);
    auto total = real_loss.defined() ? real_loss + loss_for_fake(loss_, fake_logits)
                                     : discriminator_loss(loss_, real_logits, fake_logits, inputs_.label_noise);
    const auto means = mean_over_batch({total, mean_probability(real_logits), mean_probability(fake_logits)});
    results_.discriminator_loss = means[0];
    results_.d_real = means[1];
    results_.d_fake = means[2];
    losses_.push_back(results_.discriminator_loss);

    if (r2 > 0) add(r2 / 2, squared_gradient_norm(fake_logits, fake));
    if (inputs_.interpolation.defined()) add(loss_.gradient_penalty, penalty_between(real, fake));
    if (penalty.defined()) {
      results_.gradient_penalty = mean_over_batch({penalty}).front();
      losses_.push_back(results_.gradient_penalty);
      total = total + penalty;
    }
    results_.discriminator_gradient_norm = descend(total, *state_.discriminator, state_.discriminator_optimizer);
  }

  /// Whether the gradients for the real images can be computed separately. With several ranks, the gradients are summed
  /// across the ranks once, after a single backward pass.
  bool can_free_real_graph() const { return !parallel_ && !needs_real_logits(loss_.kind); }

  at::Tensor penalty_between(const at::Tensor& real, const at::Tensor& fake) {
    const auto between = interpolate_images(real, fake, inputs_.interpolation);
    return unit_gradient_penalty(state_.discriminator->forward(between), between);
  }

  void train_generator() {
    state_.generator_optimizer.zero_gradients();
    // The generator's gradient passes through the discriminator; the gradients of the discriminator's own weights are
    // not needed.
    const WithoutGradients fixed(state_.discriminator_optimizer);
    at::Tensor real_logits;
    if (needs_real_logits(loss_.kind)) {
      real_logits =
          state_.discriminator->forward(augment_for_discriminator(inputs_.real, inputs_.of_real_for_generator));
    }
    const auto fake = augment_for_discriminator(fake_, inputs_.of_fake_for_generator);
    const auto loss = generator_loss(loss_, state_.discriminator->forward(fake), real_logits);
    results_.generator_loss = mean_over_batch({loss}).front();
    losses_.push_back(results_.generator_loss);
    results_.generator_gradient_norm = descend(loss, *state_.generator, state_.generator_optimizer);
  }

  /// Converts scalars that are means over this process's images to means over the batch, detached from the graph.
  std::vector<at::Tensor> mean_over_batch(std::vector<at::Tensor> means) const {
    if (parallel_) return parallel_->mean_over_batch(means, inputs_.part);
    for (auto& mean : means) mean = mean.detach();
    return means;
  }

  /// Takes an optimiser step on a loss that is a mean over this process's images. Returns the 2-norm of the gradient.
  at::Tensor descend(const at::Tensor& loss, const BlockChainImpl& network, Adam& optimizer) {
    if (parallel_) {
      parallel_->backward(loss, inputs_.part, network);
    } else {
      loss.backward();
    }
    const auto norm = gradient_norm(optimizer);
    // A float64 sum of float32 values is finite if each value is. x - x is zero only if x is finite.
    auto sum = norm;
    for (const auto& value : losses_) sum = sum + value;
    optimizer.step((sum - sum).ne(0).to(at::kFloat));
    losses_ = {sum};
    return norm;
  }

  GanState& state_;
  const LossConfig& loss_;
  const StepInputs& inputs_;
  DataParallel* parallel_;
  at::Tensor fake_;
  std::vector<at::Tensor> losses_;  // losses and gradient norms so far; optimiser steps require finite ones
  BatchResults results_;
};

}  // namespace

BatchResults compute_batch(GanState& state, const LossConfig& loss, const StepInputs& inputs, DataParallel* parallel) {
  return BatchStep(state, loss, inputs, parallel).run();
}

}  // namespace slopegan
