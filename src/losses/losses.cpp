#include "losses/losses.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

namespace slopegan {

namespace {

at::Tensor bce(const at::Tensor& logits, const at::Tensor& targets) {
  return at::binary_cross_entropy_with_logits(logits, targets);
}

at::Tensor half_square(const at::Tensor& difference) { return difference.square().mean() / 2; }

at::Tensor real_targets(const LossConfig& loss, const at::Tensor& logits, const at::Tensor& noise) {
  auto targets = at::full_like(logits, loss.real_label);
  return noise.defined() ? targets.add_(noise) : targets;
}

}  // namespace

at::Tensor loss_for_real(const LossConfig& loss, const at::Tensor& logits, const at::Tensor& label_noise) {
  switch (loss.kind) {
    case LossKind::bce:
      return bce(logits, real_targets(loss, logits, label_noise));
    case LossKind::hinge:
      return at::relu(1 - logits).mean();
    case LossKind::wasserstein:
      return -logits.mean();
    case LossKind::lsgan:
      return half_square(logits - real_targets(loss, logits, label_noise));
    case LossKind::relativistic:
      break;
  }
  TORCH_CHECK(false, "this loss depends on pairs of real and generated images");
}

at::Tensor loss_for_fake(const LossConfig& loss, const at::Tensor& logits) {
  switch (loss.kind) {
    case LossKind::bce:
      return bce(logits, at::zeros_like(logits));
    case LossKind::hinge:
      return at::relu(1 + logits).mean();
    case LossKind::wasserstein:
      return logits.mean();
    case LossKind::lsgan:
      return half_square(logits);
    case LossKind::relativistic:
      break;
  }
  TORCH_CHECK(false, "this loss depends on pairs of real and generated images");
}

at::Tensor discriminator_loss(const LossConfig& loss, const at::Tensor& real_logits, const at::Tensor& fake_logits,
                              const at::Tensor& label_noise) {
  switch (loss.kind) {
    case LossKind::bce:
    case LossKind::hinge:
    case LossKind::wasserstein:
    case LossKind::lsgan:
      return loss_for_real(loss, real_logits, label_noise) + loss_for_fake(loss, fake_logits);
    case LossKind::relativistic:
      return at::softplus(fake_logits - real_logits).mean();
  }
  TORCH_CHECK(false, "unknown loss");
}

at::Tensor generator_loss(const LossConfig& loss, const at::Tensor& fake_logits, const at::Tensor& real_logits) {
  switch (loss.kind) {
    case LossKind::bce:
      return bce(fake_logits, at::ones_like(fake_logits));
    case LossKind::hinge:
    case LossKind::wasserstein:
      return -fake_logits.mean();
    case LossKind::lsgan:
      return half_square(fake_logits - 1);
    case LossKind::relativistic:
      TORCH_CHECK(real_logits.defined(), "the relativistic loss requires the logits for real images");
      return at::softplus(real_logits - fake_logits).mean();
  }
  TORCH_CHECK(false, "unknown loss");
}

bool needs_real_logits(LossKind kind) {
  switch (kind) {
    case LossKind::relativistic:
      return true;
    case LossKind::bce:
    case LossKind::hinge:
    case LossKind::wasserstein:
    case LossKind::lsgan:
      return false;
  }
  TORCH_CHECK(false, "unknown loss");
}

// --- Gradient penalties

namespace {

/// |∂ logit / ∂ image|² for each image, [N].
at::Tensor squared_norms(const at::Tensor& logits, const at::Tensor& images) {
  const auto gradients = torch::autograd::grad({logits.sum()}, {images}, {}, /*retain_graph=*/true,
                                               /*create_graph=*/true);
  return gradients.front().to(logits.scalar_type()).square().flatten(1).sum(1);
}

}  // namespace

at::Tensor squared_gradient_norm(const at::Tensor& logits, const at::Tensor& images) {
  return squared_norms(logits, images).mean();
}

at::Tensor unit_gradient_penalty(const at::Tensor& logits, const at::Tensor& images) {
  // The derivative of the square root is infinite at 0. Without this constant, an image with a zero gradient would turn
  // all weights into NaN.
  constexpr double smallest = 1e-12;
  return (squared_norms(logits, images).add(smallest).sqrt() - 1).square().mean();
}

at::Tensor interpolate_images(const at::Tensor& real, const at::Tensor& fake, const at::Tensor& weights) {
  const auto share = weights.to(real.options()).view({-1, 1, 1, 1});
  return at::lerp(fake.detach(), real.detach(), share).requires_grad_(true);
}

}  // namespace slopegan
