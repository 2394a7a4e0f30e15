#include "diagnostics/layer_probe.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "models/dcgan.h"

namespace slopegan {
namespace {

DiscriminatorConfig plain_discriminator(double slope) {
  DiscriminatorConfig config;
  config.width = 4;
  config.norm = DiscriminatorNorm::none;
  config.negative_slope = NegativeSlope(slope);
  return config;
}

Discriminator initialised(const DiscriminatorConfig& config) {
  Discriminator discriminator(config, 32, 1, 0);
  discriminator->initialise({}, 0);
  return discriminator;
}

TEST(LayerProbe, FindsTheUnitsThatWereKilledByTheirBias) {
  const at::NoGradGuard no_gradients;
  at::manual_seed(1);
  for (const double slope : {0.0, 0.2}) {
    auto discriminator = initialised(plain_discriminator(slope));
    discriminator->blocks[0]->conv->bias[1].fill_(-1e3);
    discriminator->blocks[1]->conv->weight.select(1, 1).zero_();  // what that unit passes on harms nobody
    discriminator->blocks[1]->conv->bias.slice(0, 0, 6).fill_(-1e3);
    discriminator->blocks[2]->conv->bias[15].fill_(1e6);
    const LayerProbe probe(*discriminator);
    discriminator->forward(at::rand({4, 1, 32, 32}) * 2 - 1);
    ASSERT_EQ(probe.layers().size(), 3u);
    EXPECT_EQ(probe.layers()[0].never_positive(), 1.0 / 4);
    EXPECT_EQ(probe.layers()[1].never_positive(), 6.0 / 8);
    EXPECT_GE(probe.layers()[2].always_positive(), 1.0 / 16);
    EXPECT_EQ(probe.layers()[2].positive_fraction(15), 1);
    EXPECT_EQ(probe.layers()[0].values(), 4 * 16 * 16);
    EXPECT_EQ(probe.layers()[2].values(), 4 * 4 * 4);
  }
}

TEST(LayerProbe, CountsTheSizesOfPreActivationsWhereItIsAskedTo) {
  const at::NoGradGuard no_gradients;
  at::manual_seed(1);
  auto discriminator = initialised(plain_discriminator(0.2));
  const auto images = at::rand({4, 1, 32, 32}) * 2 - 1;
  const LayerProbe probe(*discriminator, /*histograms=*/true);
  discriminator->forward(images);
  discriminator->forward(images.flip(0));
  ASSERT_EQ(probe.pre_activations().size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto& layer = probe.layers()[i];
    const auto& histogram = probe.pre_activations()[i];
    EXPECT_EQ(histogram.count(), layer.values() * layer.units());
    std::int64_t negative = 0;
    for (const auto& bucket : histogram.buckets()) negative += bucket.right <= 0 ? bucket.count : 0;
    EXPECT_EQ(static_cast<double>(negative) / static_cast<double>(histogram.count()), layer.negative_fraction());
  }
  const auto first = discriminator->blocks[0]->conv->forward(images);
  EXPECT_EQ(probe.pre_activations()[0].min(), first.min().item<double>());
  EXPECT_NEAR(probe.pre_activations()[0].sum(), 2 * first.to(at::kDouble).sum().item<double>(), 1e-9);
}

TEST(LayerProbe, SeesWhatGoesIntoTheActivationThoughThatOverwritesIt) {
  const at::NoGradGuard no_gradients;
  auto discriminator = initialised(plain_discriminator(0));
  const auto images = at::rand({2, 1, 32, 32}) * 2 - 1;
  at::Tensor seen, made;
  discriminator->blocks[0]->observer = [&](const at::Tensor& pre_activation, const at::Tensor& output) {
    seen = pre_activation;
    made = output.clone();
  };
  discriminator->forward(images);
  EXPECT_TRUE(at::allclose(seen, discriminator->blocks[0]->conv->forward(images)));
  EXPECT_TRUE(at::equal(made, seen.clamp_min(0)));
}

TEST(LayerProbe, LeavesTheNetworkAsItWasAndItsOutputsAlone) {
  const at::NoGradGuard no_gradients;
  auto discriminator = initialised(plain_discriminator(0.2));
  const auto images = at::rand({2, 1, 32, 32}) * 2 - 1;
  const auto before = discriminator->forward(images);
  {
    const LayerProbe probe(*discriminator);
    EXPECT_TRUE(at::equal(discriminator->forward(images), before));
  }
  for (const auto& block : discriminator->blocks) EXPECT_FALSE(block->observer);
}

TEST(LayerProbe, NeedsAsManyImagesAsTheSmallestLayerSays) {
  GeneratorConfig config;
  config.width = 2;
  EXPECT_EQ(images_for(*Generator(config, 32, 1, 0), 10000), 625);  // 4 × 4 positions
  EXPECT_EQ(images_for(*Generator(config, 64, 1, 0), 10001), 626);
  EXPECT_EQ(images_for(*initialised(plain_discriminator(0)), 16), 1);
}

}  // namespace
}  // namespace slopegan
