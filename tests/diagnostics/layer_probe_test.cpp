#include "diagnostics/layer_probe.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "layers/leaky_relu.h"
#include "models/dcgan.h"

namespace slopegan {
namespace {

/// Returns a tensor of shape [2, 4, 1, 2]. Its channels are never positive, always positive, mixed, and mixed with
/// values a hundred times smaller.
at::Tensor four_units() {
  const auto values =
      at::tensor({-1., -2., -3., 0., /**/ 1., 2., 3., 4., /**/ -1., 1., -2., 2., /**/ -.01, .01, -.02, .02});
  return values.view({4, 2, 1, 2}).transpose(0, 1).contiguous().to(at::kFloat);
}

UnitStatistics statistics_of(const at::Tensor& x, double slope) {
  UnitStatistics statistics;
  statistics.add(x, slopegan::leaky_relu(x, slope));
  return statistics;
}

TEST(UnitStatistics, CountsUnitsThatAreNeverOrAlwaysPositive) {
  const auto statistics = statistics_of(four_units(), 0);
  EXPECT_EQ(statistics.units(), 4);
  EXPECT_EQ(statistics.values(), 4);
  EXPECT_EQ(statistics.never_positive(), 1.0 / 4);
  EXPECT_EQ(statistics.always_positive(), 1.0 / 4);
  EXPECT_EQ(statistics.negative_fraction(), 7.0 / 16);  // 0 is not negative
}

TEST(UnitStatistics, ComparesEachUnitWithTheMeanOfTheLayerToFindDormantUnits) {
  // The units' means of |f| at slope 0 are 0, 2.5, 0.75, 0.0075; the limit is 0.025 times their mean, 0.0204.
  EXPECT_EQ(statistics_of(four_units(), 0).dormant(), 2.0 / 4);
  // At slope 1: 1.5, 2.5, 1.5, 0.015; the limit is 0.034.
  EXPECT_EQ(statistics_of(four_units(), 1).dormant(), 1.0 / 4);
  EXPECT_EQ(statistics_of(at::zeros({1, 3, 2, 2}), 0.2).dormant(), 1.0);
}

TEST(UnitStatistics, MeasuresTheFractionOfTheEnergyFromNegativeInputs) {
  const double positive = 30 + 5 + 0.0005, negative = 14 + 5 + 0.0005;
  for (const double slope : {0.0, 0.2, 1.0, -0.5}) {
    const double of_slope = slope * slope * negative;
    EXPECT_NEAR(statistics_of(four_units(), slope).slope_energy(), of_slope / (of_slope + positive), 1e-6) << slope;
  }
  EXPECT_EQ(statistics_of(at::zeros({1, 3, 2, 2}), 0.2).slope_energy(), 0);
}

TEST(UnitStatistics, DoesNotDependOnBatchesOrMemoryFormats) {
  at::manual_seed(1);
  auto x = at::randn({40, 5, 3, 7});  // 840 values per unit are summed in more than one part
  x.select(1, 0).abs_().add_(0.1);
  x.narrow(1, 1, 2).abs_().neg_();
  const auto whole = statistics_of(x, 0.3);
  UnitStatistics parts;
  for (const auto& part : x.split(7)) {
    const auto moved = part.contiguous(at::MemoryFormat::ChannelsLast);
    parts.add(moved, slopegan::leaky_relu(moved, 0.3));
  }
  EXPECT_EQ(parts.values(), 40 * 21);
  EXPECT_EQ(parts.negative_fraction(), (x < 0).to(at::kDouble).mean().item<double>());
  EXPECT_EQ(parts.negative_fraction(), whole.negative_fraction());
  EXPECT_NEAR(parts.slope_energy(), whole.slope_energy(), 1e-6);
  EXPECT_EQ(parts.always_positive(), 1.0 / 5);
  EXPECT_EQ(parts.never_positive(), 2.0 / 5);
}

TEST(UnitStatistics, RejectsADifferentNumberOfChannels) {
  UnitStatistics statistics;
  statistics.add(at::ones({1, 3, 2, 2}), at::ones({1, 3, 2, 2}));
  EXPECT_THROW(statistics.add(at::ones({1, 4, 2, 2}), at::ones({1, 4, 2, 2})), c10::Error);
}

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

TEST(LayerProbe, FindsUnitsKilledByTheirBias) {
  const at::NoGradGuard no_gradients;
  at::manual_seed(1);
  for (const double slope : {0.0, 0.2}) {
    auto discriminator = initialised(plain_discriminator(slope));
    discriminator->blocks[0]->conv->bias[1].fill_(-1e3);
    discriminator->blocks[1]->conv->weight.select(1, 1).zero_();  // the output of that unit has no effect
    discriminator->blocks[1]->conv->bias.slice(0, 0, 6).fill_(-1e3);
    discriminator->blocks[2]->conv->bias[15].fill_(1e6);
    const LayerProbe probe(*discriminator);
    discriminator->forward(at::rand({4, 1, 32, 32}) * 2 - 1);
    ASSERT_EQ(probe.layers().size(), 3u);
    EXPECT_EQ(probe.layers()[0].never_positive(), 1.0 / 4);
    EXPECT_EQ(probe.layers()[1].never_positive(), 6.0 / 8);
    EXPECT_GE(probe.layers()[2].always_positive(), 1.0 / 16);
    EXPECT_EQ(probe.layers()[0].values(), 4 * 16 * 16);
    EXPECT_EQ(probe.layers()[2].values(), 4 * 4 * 4);
  }
}

TEST(LayerProbe, CollectsHistogramsOfPreActivations) {
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

TEST(BlockObserver, GetsTheInputOfAnActivationThatWorksInPlace) {
  const at::NoGradGuard no_gradients;
  auto discriminator = initialised(plain_discriminator(0));
  const auto images = at::rand({2, 1, 32, 32}) * 2 - 1;
  at::Tensor input, result;
  discriminator->blocks[0]->observer = [&](const at::Tensor& pre_activation, const at::Tensor& output) {
    input = pre_activation;
    result = output.clone();
  };
  discriminator->forward(images);
  EXPECT_TRUE(at::allclose(input, discriminator->blocks[0]->conv->forward(images)));
  EXPECT_TRUE(at::equal(result, input.clamp_min(0)));
}

TEST(LayerProbe, ChangesNeitherTheNetworkNorItsOutputs) {
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

TEST(ImagesFor, DependsOnTheSmallestLayer) {
  GeneratorConfig config;
  config.width = 2;
  EXPECT_EQ(images_for(*Generator(config, 32, 1, 0), 10000), 625);  // 4 × 4 positions
  EXPECT_EQ(images_for(*Generator(config, 64, 1, 0), 10001), 626);
  EXPECT_EQ(images_for(*initialised(plain_discriminator(0)), 16), 1);
}

}  // namespace
}  // namespace slopegan
