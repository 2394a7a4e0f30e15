#include "models/dcgan.h"

#include <ATen/ATen.h>

namespace slopegan {

// --- Generator

GeneratorImpl::GeneratorImpl(const GeneratorConfig& config, std::int64_t resolution, std::int64_t channels,
                             std::uint64_t seed)
    : BlockChainImpl("generator"), latent_dim_(config.latent_dim) {
  const auto stages = stage_count(resolution);
  const bool batch_norm = config.norm != GeneratorNorm::none;
  const std::int64_t modulating_latent_dim = config.norm == GeneratorNorm::self_modulated ? config.latent_dim : 0;
  std::int64_t in = config.latent_dim;
  for (std::int64_t stage = 0; stage < stages; ++stage) {
    const std::int64_t out = config.width << (stages - 1 - stage);
    const bool first = stage == 0;  // 1×1 -> 4×4
    add({.convolution = {.in_channels = in,
                         .out_channels = out,
                         .stride = first ? 1 : 2,
                         .padding = first ? 0 : 1,
                         .transposed = true,
                         .bias = !batch_norm},
         .batch_norm = batch_norm,
         .modulating_latent_dim = modulating_latent_dim,
         .activation = make_activation(config, static_cast<std::size_t>(stage), out, seed, "generator")});
    in = out;
  }
  add({.convolution = {.in_channels = in, .out_channels = channels, .transposed = true, .bias = !batch_norm}});
}

at::Tensor GeneratorImpl::forward(const at::Tensor& latent) {
  auto x = latent.view({latent.size(0), latent_dim_, 1, 1});
  for (auto& block : blocks) x = block->forward(x, latent);
  return at::tanh(x.scalar_type() == at::kDouble ? x : x.to(at::kFloat));
}

std::vector<LayerSummary> GeneratorImpl::summary() const {
  auto lines = summaries(1);
  lines.back().kind += ", tanh";
  return lines;
}

// --- Discriminator

DiscriminatorImpl::DiscriminatorImpl(const DiscriminatorConfig& config, std::int64_t resolution, std::int64_t channels,
                                     std::uint64_t seed)
    : BlockChainImpl("discriminator"), resolution_(resolution) {
  const auto stages = stage_count(resolution);
  const bool batch_norm = config.norm == DiscriminatorNorm::batch;
  const bool spectral_norm = config.norm == DiscriminatorNorm::spectral;
  std::int64_t in = channels;
  for (std::int64_t stage = 0; stage < stages; ++stage) {
    const std::int64_t out = config.width << stage;
    add({.convolution = {.in_channels = in, .out_channels = out, .bias = !batch_norm, .spectral_norm = spectral_norm},
         .batch_norm = batch_norm && stage > 0,
         .activation = make_activation(config, static_cast<std::size_t>(stage), out, seed, "discriminator")});
    in = out;
  }
  add({.convolution = {.in_channels = in,
                       .out_channels = 1,
                       .stride = 1,
                       .padding = 0,
                       .bias = !batch_norm,
                       .spectral_norm = spectral_norm}});
}

at::Tensor DiscriminatorImpl::forward(const at::Tensor& images) {
  auto x = images;
  for (auto& block : blocks) x = block->forward(x);
  x = x.view({x.size(0)});
  return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
}

std::vector<LayerSummary> DiscriminatorImpl::summary() const { return summaries(resolution_); }

}  // namespace slopegan
