#include "training/divergence.h"

#include <cmath>
#include <string>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace {

[[noreturn]] void throw_diverged(const GanState& state, const std::string& what) {
  throw DivergedError(
      format_text("training diverged at step {} ({} images): {}", state.steps, state.images_seen, what));
}

bool is_finite(const at::Tensor& tensor) { return at::isfinite(tensor).all().item<bool>(); }

std::string first_weight_not_finite(const GanState& state) {
  for (const auto& [network, optimizer] : {std::pair{"generator.", &state.generator_optimizer},
                                           std::pair{"discriminator.", &state.discriminator_optimizer}}) {
    for (const auto& slot : optimizer->slots()) {
      if (!is_finite(slot.parameter)) return network + slot.name;
    }
  }
  return "";
}

/// The name of the first block whose output is not finite; empty if there is none. `latent` is for the blocks of a
/// generator only.
std::string first_block_not_finite(const BlockChainImpl& network, at::Tensor x, const at::Tensor& latent = {}) {
  const at::NoGradGuard no_gradients;
  for (std::size_t i = 0; i < network.blocks.size(); ++i) {
    x = network.blocks[i].ptr()->forward(x, latent);
    if (!is_finite(x)) return network.name() + ".block" + std::to_string(i);
  }
  return "";
}

std::string describe_cause(GanState& state, const StepImages& images) {
  const std::string weight = first_weight_not_finite(state);
  if (!weight.empty()) return "; " + weight + " is not finite";
  if (!is_finite(images.real)) return "; the real images are not finite";
  const auto latents = images.latents.view({images.latents.size(0), -1, 1, 1});
  std::string block = first_block_not_finite(*state.generator, latents, images.latents);
  if (block.empty()) block = first_block_not_finite(*state.discriminator, images.fake);
  if (block.empty()) block = first_block_not_finite(*state.discriminator, images.real);
  return block.empty() ? "" : "; the output of " + block + " is not finite";
}

}  // namespace

void check_loss(double loss, const char* name, GanState& state, const StepImages& images) {
  if (std::isfinite(loss)) return;
  throw_diverged(state,
                 format_text("{} is {}{}", name, std::isnan(loss) ? "NaN" : "infinite", describe_cause(state, images)));
}

at::Tensor gradient_norm(const Adam& optimizer) {
  const at::NoGradGuard no_gradients;
  std::vector<at::Tensor> gradients;
  for (const auto& slot : optimizer.slots()) {
    if (slot.parameter.grad().defined()) gradients.push_back(slot.parameter.grad());
  }
  if (gradients.empty()) return at::zeros({}, optimizer.slots().front().parameter.options().dtype(at::kDouble));
  return at::stack(at::_foreach_norm(gradients)).to(at::kDouble).norm();
}

void check_gradients(double norm, const Adam& optimizer, const char* network, const GanState& state) {
  if (std::isfinite(norm)) return;
  for (const auto& slot : optimizer.slots()) {
    if (slot.parameter.grad().defined() && !is_finite(slot.parameter.grad())) {
      throw_diverged(state, format_text("the gradient of {}.{} is not finite", network, slot.name));
    }
  }
  throw_diverged(state, format_text("the norm of the gradients of the {} overflows", network));
}

at::Tensor weight_norms(const GanState& state) {
  const at::NoGradGuard no_gradients;
  std::vector<at::Tensor> weights;
  for (const auto* optimizer : {&state.generator_optimizer, &state.discriminator_optimizer}) {
    for (const auto& slot : optimizer->slots()) weights.push_back(slot.parameter);
  }
  return at::stack(at::_foreach_norm(weights)).sum();
}

void check_weights(double norms, const GanState& state) {
  if (std::isfinite(norms)) return;
  const std::string weight = first_weight_not_finite(state);  // empty if only the squares of large weights overflow
  if (!weight.empty()) throw_diverged(state, weight + " is not finite");
}

void check_state(const GanState& state) {
  for (const auto& [name, tensor] : state.tensors()) {
    if (!is_finite(tensor)) throw_diverged(state, name + " is not finite");
  }
}

}  // namespace slopegan
