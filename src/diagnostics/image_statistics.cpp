#include "diagnostics/image_statistics.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

namespace slopegan {

double mean_pairwise_distance(const at::Tensor& images) {
  TORCH_CHECK(images.size(0) >= 2, "mean_pairwise_distance: at least two images expected, got ", images.size(0));
  return at::pdist(images.detach().flatten(1).to(at::kFloat).contiguous()).mean().item<double>();
}

double saturated_share(const at::Tensor& images) {
  return (images.detach().abs() > 0.99).to(at::kDouble).mean().item<double>();
}

double accuracy(const at::Tensor& logits, bool real) {
  return (real ? logits > 0 : logits < 0).to(at::kDouble).mean().item<double>();
}

double image_gradient_norm(Discriminator& discriminator, const at::Tensor& images) {
  const at::AutoGradMode with_gradients(true);
  const auto input = images.detach().clone().requires_grad_();
  const auto gradient = torch::autograd::grad({discriminator->forward(input).sum()}, {input}).front();
  return gradient.flatten(1).to(at::kDouble).norm(2, {1}).mean().item<double>();
}

}  // namespace slopegan
