#include "models/inference_generator.h"

#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "config/load.h"

namespace slopegan {
namespace {

/// A generator with running statistics and biases like those of a trained generator.
Generator trained_generator(const std::vector<std::string>& overrides, std::int64_t channels) {
  const auto config = load_config("", overrides).config;
  Generator generator(config.generator, config.data.resolution, channels, 3);
  generator->initialise(config.init, 3);
  const at::NoGradGuard no_gradients;
  at::manual_seed(3);
  for (auto& block : generator->blocks) {
    if (block->conv->bias.defined()) block->conv->bias.normal_(0, 0.3);
    if (!block->norm) continue;
    block->norm->running_mean.normal_(0, 0.2);
    block->norm->running_var.uniform_(0.5, 2);
    if (block->norm->bias.defined()) block->norm->bias.normal_(0, 0.3);
    if (!block->modulation) continue;
    for (auto& parameter : block->modulation->parameters()) parameter.normal_(0, 0.15);
  }
  return generator;
}

double inference_error(const std::vector<std::string>& overrides, at::ScalarType type, std::int64_t channels = 1) {
  auto all = overrides;
  all.insert(all.end(), {"generator.width=16", "generator.latent_dim=20"});
  auto generator = trained_generator(all, channels);
  if (type == at::kDouble) generator->to(at::kDouble);
  generator->eval();
  const at::NoGradGuard no_gradients;
  const auto latents = at::randn({5, 20}, at::kDouble);
  const auto expected = generator->forward(type == at::kDouble ? latents : latents.to(at::kFloat));
  generator->train();  // inference does not depend on the mode
  const auto found = InferenceGenerator(generator, type)(latents);
  EXPECT_EQ(found.scalar_type(), type == at::kDouble ? at::kDouble : at::kFloat);
  EXPECT_TRUE(generator->is_training());
  return (found - expected).abs().max().item<double>();
}

const std::vector<std::vector<std::string>> kinds = {
    {},
    {"data.resolution=64"},
    {"generator.norm=none"},
    {"generator.norm=self_modulated"},
    {"generator.norm=self_modulated", "generator.negative_slope=-0.3"},
    {"generator.norm=self_modulated", "generator.activation=prelu", "generator.prelu=channel"},
    {"generator.negative_slope=0"},
    {"generator.negative_slope=-0.3"},
    {"generator.negative_slope=[0, 0.2, 1]"},
    {"generator.activation=relu"},
    {"generator.activation=prelu", "generator.prelu=channel"},
    {"generator.activation=rrelu"},
};

TEST(InferenceGenerator, EqualsTheGeneratorForEveryActivation) {
  for (const auto& overrides : kinds) {
    const auto name = overrides.empty() ? "defaults" : overrides.front() + " " + overrides.back();
    EXPECT_LE(inference_error(overrides, at::kDouble), 1e-13) << name;
    EXPECT_LE(inference_error(overrides, at::kFloat), 1e-5) << name;
    EXPECT_LE(inference_error(overrides, at::kBFloat16), 0.03) << name;
  }
}

TEST(InferenceGenerator, GeneratesColourImages) {
  EXPECT_LE(inference_error({"data.resolution=64"}, at::kFloat, 3), 1e-5);
}

TEST(InferenceGenerator, IsASnapshotOfTheGenerator) {
  for (const char* norm : {"generator.norm=batch", "generator.norm=self_modulated"}) {
    auto generator = trained_generator({norm, "generator.width=16", "generator.latent_dim=20"}, 1);
    const InferenceGenerator inference(generator, at::kFloat);
    const auto latents = at::randn({2, 20});
    const auto before = inference(latents);
    {
      const at::NoGradGuard no_gradients;
      for (auto& parameter : generator->parameters()) parameter.mul_(2);
    }
    EXPECT_TRUE(at::equal(inference(latents), before));
    EXPECT_FALSE(at::equal(InferenceGenerator(generator, at::kFloat)(latents), before));
  }
}

}  // namespace
}  // namespace slopegan
