#include "diagnostics/vitals.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "support/text.h"

namespace slopegan {

double mean_pairwise_distance(const at::Tensor& images) {
  TORCH_CHECK(images.size(0) >= 2, "mean_pairwise_distance: expected at least two images, got ", images.size(0));
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

GradientFlow gradient_flow(const at::Tensor& parameter, const at::Tensor& gradient, const at::Tensor& update) {
  const at::NoGradGuard no_gradients;
  const auto norm = [](const at::Tensor& tensor) { return tensor.to(at::kDouble).norm().item<double>(); };
  GradientFlow flow;
  flow.zero_gradients = 1;
  if (gradient.defined()) {
    flow.gradient_norm = norm(gradient);
    flow.zero_gradients =
        static_cast<double>((gradient == 0).sum().item<std::int64_t>()) / static_cast<double>(gradient.numel());
  }
  const double change = norm(update), weight = norm(parameter);
  if (change > 0) flow.update_ratio = weight > 0 ? change / weight : std::numeric_limits<double>::infinity();
  return flow;
}

std::vector<std::string> sentinels(const Vitals& vitals) {
  std::vector<std::string> raised;
  const bool has_started = vitals.images >= collapse_judged_from;
  if (!vitals.diversity) raised.emplace_back("equal_images");
  if (has_started && vitals.diversity && *vitals.diversity < collapse_threshold) raised.emplace_back("collapse");
  if (vitals.saturated_fake - vitals.saturated_real > saturation_threshold) raised.emplace_back("saturation");
  const bool won = std::min(vitals.accuracy_real, vitals.accuracy_fake) >= won_accuracy;
  if (won && vitals.generator_gradient_norm < vanished_gradient * vitals.generator_weight_norm) {
    raised.emplace_back("vanished_gradient");
  }
  return raised;
}

std::string sentinel_text(const std::string& name) {
  if (name == "equal_images") return "equal_images: all real images are identical, so a GAN can only copy them";
  if (name == "collapse") {
    return format_text(
        "collapse: the mean distance between generated images is below {:g} times that between real images",
        collapse_threshold);
  }
  if (name == "saturation") {
    return format_text(
        "saturation: the fraction of pixel values above 0.99 or below -0.99, where tanh passes almost no gradient, is "
        "more than {:g} higher in generated images than in real images",
        saturation_threshold);
  }
  if (name == "vanished_gradient")
    return "vanished_gradient: the discriminator is almost always correct and the generator's gradient has vanished";
  throw std::logic_error("sentinel_text: unknown alarm " + name);
}

}  // namespace slopegan
