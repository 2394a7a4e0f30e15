#include "losses/penalties.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

namespace slopegan {

namespace {

/// |∂ logit / ∂ image|² of each image, [N].
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
  // The root has no derivative at 0, where a discriminator without any gradient would turn all weights into NaN.
  constexpr double smallest = 1e-12;
  return (squared_norms(logits, images).add(smallest).sqrt() - 1).square().mean();
}

at::Tensor interpolate_images(const at::Tensor& real, const at::Tensor& fake, const at::Tensor& weights) {
  const auto share = weights.to(real.options()).view({-1, 1, 1, 1});
  return at::lerp(fake.detach(), real.detach(), share).requires_grad_(true);
}

}  // namespace slopegan
