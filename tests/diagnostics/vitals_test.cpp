#include "diagnostics/vitals.h"

#include <cmath>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

namespace slopegan {
namespace {

TEST(MeanPairwiseDistance, IsTheMeanOverAllPairs) {
  // The distances between the corners (0,0), (3,4), (3,0) are 5, 3, 4.
  EXPECT_NEAR(mean_pairwise_distance(at::tensor({0., 0., 3., 4., 3., 0.}).view({3, 2})), 4, 1e-6);
  EXPECT_EQ(mean_pairwise_distance(at::ones({5, 1, 4, 4})), 0);
  EXPECT_THROW(mean_pairwise_distance(at::ones({1, 4})), c10::Error);
}

TEST(MeanPairwiseDistance, OfNormalSamplesIsTheSquareRootOfTwiceTheirDimension) {
  at::manual_seed(1);
  EXPECT_NEAR(mean_pairwise_distance(at::randn({64, 1, 32, 32})), std::sqrt(2.0 * 1024), 0.5);
}

TEST(SaturatedShare, CountsValuesNearMinusOneAndOne) {
  EXPECT_EQ(saturated_share(at::tensor({-1.0, -0.995, 0.98, 0.0, 1.0, -0.98, 0.5, 0.2})), 3.0 / 8);
}

TEST(Accuracy, CountsLogitsOnTheCorrectSideOfZero) {
  const auto logits = at::tensor({-1.0, 0.0, 2.0, 3.0});
  EXPECT_EQ(accuracy(logits, true), 0.5);
  EXPECT_EQ(accuracy(logits, false), 0.25);
}

TEST(ImageGradientNorm, MatchesFiniteDifferencesOfTheLogits) {
  DiscriminatorConfig config;
  config.width = 2;
  config.norm = DiscriminatorNorm::none;
  Discriminator discriminator(config, 16, 1, 0);
  discriminator->initialise({InitMode::slope_matched}, 0);
  discriminator->to(at::kDouble);
  at::manual_seed(1);
  const auto images = at::rand({2, 1, 16, 16}, at::kDouble) * 2 - 1;
  auto squares = at::zeros({2}, at::kDouble);
  {
    const at::NoGradGuard no_gradients;
    for (int pixel = 0; pixel < 256; ++pixel) {
      const auto logits_at = [&](double offset) {
        auto moved = images.clone();
        moved.view({2, 256}).select(1, pixel) += offset;
        return discriminator->forward(moved);
      };
      squares += ((logits_at(1e-6) - logits_at(-1e-6)) / 2e-6).square();
    }
  }
  EXPECT_NEAR(image_gradient_norm(discriminator, images), squares.sqrt().mean().item<double>(), 1e-7);
  for (const auto& parameter : discriminator->parameters()) EXPECT_FALSE(parameter.grad().defined());
}

TEST(GradientFlow, MeasuresNormsAndExactZeros) {
  const auto flow = gradient_flow(at::tensor({3.0, 4.0, 0.0, 0.0}), at::tensor({0.0, 1.0, 2.0, -2.0}),
                                  at::tensor({0.0, 0.3, 0.4, 0.0}));
  EXPECT_EQ(flow.gradient_norm, 3);
  EXPECT_EQ(flow.zero_gradients, 0.25);
  EXPECT_DOUBLE_EQ(flow.update_ratio, 0.1);
}

TEST(GradientFlow, TreatsAnUndefinedGradientAsZeros) {
  const auto flow = gradient_flow(at::ones({3}), at::Tensor(), at::zeros({3}));
  EXPECT_EQ(flow.gradient_norm, 0);
  EXPECT_EQ(flow.zero_gradients, 1);
  EXPECT_EQ(flow.update_ratio, 0);
}

TEST(GradientFlow, HasAnInfiniteUpdateRatioForWeightsOfZero) {
  EXPECT_TRUE(std::isinf(gradient_flow(at::zeros({3}), at::ones({3}), at::ones({3})).update_ratio));
  EXPECT_EQ(gradient_flow(at::zeros({3}), at::ones({3}), at::zeros({3})).update_ratio, 0);
}

Vitals healthy() {
  Vitals vitals;
  vitals.images = 100000;
  vitals.diversity = 0.9;
  vitals.saturated_fake = vitals.saturated_real = 0.6;
  vitals.accuracy_real = vitals.accuracy_fake = 0.8;
  vitals.generator_gradient_norm = vitals.generator_weight_norm = 10;
  return vitals;
}

using Names = std::vector<std::string>;

TEST(Sentinels, StaySilentInAHealthyRun) { EXPECT_EQ(sentinels(healthy()), Names()); }

TEST(Sentinels, ReportACollapseAfterTheStartOfTheRun) {
  auto vitals = healthy();
  vitals.diversity = 0.24;
  EXPECT_EQ(sentinels(vitals), Names{"collapse"});
  vitals.images = 9999;
  EXPECT_EQ(sentinels(vitals), Names());
}

TEST(Sentinels, ReportThatAllRealImagesAreEqual) {
  auto vitals = healthy();
  vitals.diversity = std::nullopt;
  EXPECT_EQ(sentinels(vitals), Names{"equal_images"});
  EXPECT_EQ(sentinel_text("equal_images").find("all real images are identical"), std::string("equal_images: ").size());
}

TEST(Sentinels, ReportSaturationBeyondThatOfRealImages) {
  auto vitals = healthy();
  vitals.saturated_fake = 0.86;
  EXPECT_EQ(sentinels(vitals), Names{"saturation"});
  vitals.saturated_real = 0.62;
  EXPECT_EQ(sentinels(vitals), Names());
}

TEST(Sentinels, ReportAVanishedGradientOnlyIfTheDiscriminatorHasWon) {
  auto vitals = healthy();
  vitals.generator_gradient_norm = 0;
  EXPECT_EQ(sentinels(vitals), Names());
  vitals.accuracy_real = vitals.accuracy_fake = 1;
  EXPECT_EQ(sentinels(vitals), Names{"vanished_gradient"});
  vitals.generator_gradient_norm = 1e-3;
  EXPECT_EQ(sentinels(vitals), Names());
}

TEST(Sentinels, AreExplainedByTextsThatStartWithTheirNames) {
  for (const char* name : {"equal_images", "collapse", "saturation", "vanished_gradient"}) {
    EXPECT_EQ(sentinel_text(name).rfind(std::string(name) + ": ", 0), 0u) << name;
  }
  EXPECT_THROW(sentinel_text("a new one"), std::logic_error);
}

}  // namespace
}  // namespace slopegan
