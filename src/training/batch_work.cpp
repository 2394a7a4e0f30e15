#include "training/batch_work.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "losses/losses.h"
#include "training/data_parallel.h"
#include "training/divergence.h"

namespace slopegan {

namespace {

at::Tensor mean_probability(const at::Tensor& logits) { return at::sigmoid(logits.detach()).mean(); }

/// The optimiser's parameters get no gradients as long as this lives.
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

/// The images as the discriminator sees them, as a leaf that requires gradients where `penalised`.
at::Tensor seen(const at::Tensor& images, const AugmentationDraws& draws, bool penalised = false) {
  auto changed = augment(images, draws);
  return penalised ? changed.detach().requires_grad_(true) : changed;
}

class BatchWork {
 public:
  BatchWork(GanState& state, const LossConfig& loss, const StepInputs& inputs, DataParallel* parallel)
      : state_(state), loss_(loss), inputs_(inputs), parallel_(parallel) {}

  BatchFigures run() {
    {
      const at::AutoGradMode gradients(inputs_.trains_generator);
      const auto& real = inputs_.real;
      fake_ = state_.generator->forward(inputs_.latents)
                  .to(real.scalar_type(), false, false, at::MemoryFormat::ChannelsLast);
    }
    figures_.fake = fake_.detach();
    train_discriminator();
    if (inputs_.trains_generator) {
      train_generator();
      figures_.weight_norms = weight_norms(state_);
    }
    return figures_;
  }

 private:
  void train_discriminator() {
    state_.discriminator_optimizer.zero_gradients();
    const double r1 = loss_.r1 * inputs_.lazy, r2 = loss_.r2 * inputs_.lazy;
    const auto real = seen(inputs_.real, inputs_.of_real, r1 > 0);
    const auto fake = seen(fake_.detach(), inputs_.of_fake, r2 > 0);
    const auto real_logits = state_.discriminator->forward(real);
    const auto fake_logits = state_.discriminator->forward(fake);
    auto total = discriminator_loss(loss_, real_logits, fake_logits, inputs_.label_noise);
    const auto means = of_batch({total, mean_probability(real_logits), mean_probability(fake_logits)});
    figures_.discriminator_loss = means[0];
    figures_.d_real = means[1];
    figures_.d_fake = means[2];
    losses_.push_back(figures_.discriminator_loss);

    at::Tensor penalty;
    const auto add = [&](double weight, const at::Tensor& value) {
      penalty = penalty.defined() ? penalty + weight * value : weight * value;
    };
    if (r1 > 0) add(r1 / 2, squared_gradient_norm(real_logits, real));
    if (r2 > 0) add(r2 / 2, squared_gradient_norm(fake_logits, fake));
    if (inputs_.interpolation.defined()) add(loss_.gradient_penalty, penalty_between(real, fake));
    if (penalty.defined()) {
      figures_.gradient_penalty = of_batch({penalty}).front();
      losses_.push_back(figures_.gradient_penalty);
      total = total + penalty;
    }
    figures_.discriminator_gradient_norm = descend(total, state_.discriminator_optimizer);
  }

  at::Tensor penalty_between(const at::Tensor& real, const at::Tensor& fake) {
    const auto between = interpolate_images(real, fake, inputs_.interpolation);
    return unit_gradient_penalty(state_.discriminator->forward(between), between);
  }

  void train_generator() {
    state_.generator_optimizer.zero_gradients();
    // The gradient passes through the discriminator; those of its own weights would be thrown away.
    const WithoutGradients fixed(state_.discriminator_optimizer);
    at::Tensor real_logits;
    if (needs_real_logits(loss_.kind)) {
      real_logits = state_.discriminator->forward(seen(inputs_.real, inputs_.of_real_for_generator));
    }
    const auto fake = seen(fake_, inputs_.of_fake_for_generator);
    const auto loss = generator_loss(loss_, state_.discriminator->forward(fake), real_logits);
    figures_.generator_loss = of_batch({loss}).front();
    losses_.push_back(figures_.generator_loss);
    figures_.generator_gradient_norm = descend(loss, state_.generator_optimizer);
  }

  /// Scalars that are means over the images of this process, as means over the batch, apart from their graph.
  std::vector<at::Tensor> of_batch(std::vector<at::Tensor> means) const {
    if (parallel_) return parallel_->means_of_batch(means, inputs_.part);
    for (auto& mean : means) mean = mean.detach();
    return means;
  }

  /// One step down a loss that is a mean over the images of this process; returns the gradient's norm.
  at::Tensor descend(const at::Tensor& loss, Adam& optimizer) {
    if (parallel_) {
      parallel_->backward(loss, inputs_.part, optimizer);
    } else {
      loss.backward();
    }
    const auto norm = gradient_norm(optimizer);
    // In float64 the sum of figures of single precision is finite as long as each is. Only then is x - x zero.
    auto sum = norm;
    for (const auto& figure : losses_) sum = sum + figure;
    optimizer.step((sum - sum).ne(0).to(at::kFloat));
    losses_ = {sum};
    return norm;
  }

  GanState& state_;
  const LossConfig& loss_;
  const StepInputs& inputs_;
  DataParallel* parallel_;
  at::Tensor fake_;
  std::vector<at::Tensor> losses_;  // those that decide whether an optimiser's step is taken, so far
  BatchFigures figures_;
};

}  // namespace

BatchFigures compute_batch(GanState& state, const LossConfig& loss, const StepInputs& inputs, DataParallel* parallel) {
  return BatchWork(state, loss, inputs, parallel).run();
}

}  // namespace slopegan
