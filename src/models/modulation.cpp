#include "models/modulation.h"

#include <cmath>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "layers/initialisation.h"

namespace slopegan {

LatentModulationImpl::LatentModulationImpl(std::int64_t latent_dim, std::int64_t channels) {
  hidden = register_module("hidden", torch::nn::Linear(latent_dim, hidden_size));
  output = register_module("output", torch::nn::Linear(hidden_size, 2 * channels));
}

Modulation LatentModulationImpl::forward(const at::Tensor& latent) {
  const auto z = latent.to(hidden->weight.scalar_type());
  const auto parts = output->forward(at::relu(hidden->forward(z))).chunk(2, /*dim=*/1);
  return {.scale = parts[0] + 1, .shift = parts[1]};
}

void LatentModulationImpl::initialise(double std, std::uint64_t seed, const std::string& stream) {
  const auto latent_dim = static_cast<double>(hidden->weight.size(1));
  fill_normal(hidden->weight, 0, 1 / std::sqrt(latent_dim), seed, stream + ".hidden.weight");
  fill_normal(output->weight, 0, std, seed, stream + ".output.weight");
  const at::NoGradGuard no_gradients;
  hidden->bias.zero_();
  output->bias.zero_();
}

}  // namespace slopegan
