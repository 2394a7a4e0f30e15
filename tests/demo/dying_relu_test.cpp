#include "demo/dying_relu.h"

#include <cmath>
#include <stdexcept>

#include <gtest/gtest.h>

#include "support/log.h"

namespace slopegan {
namespace {

TEST(PointDeath, HasTheProbabilityGivenByTheClosedForm) {
  EXPECT_NEAR(point_death_probability({2, 10}, 0), 0.9437, 5e-5);
  EXPECT_NEAR(point_death_probability({3, 10}, 0), 0.7369, 5e-5);
  for (const ChainShape shape : {ChainShape{2, 10}, ChainShape{3, 10}, ChainShape{4, 3}}) {
    const auto count = count_point_deaths(shape, 0, 4000, 1);
    EXPECT_TRUE(predict_share("", point_death_probability(shape, 0), count).holds) << count.share();
  }
}

TEST(PointDeath, NeverHappensWithANonZeroSlope) {
  for (const double slope : {0.01, 0.2, 1.0}) EXPECT_EQ(count_point_deaths({2, 10}, slope, 4000, 1).hits, 0);
}

TEST(BornDead, MatchesKnownFractionsAndStaysBelowTheBound) {
  struct Case {
    ChainShape shape;
    double share;
  };
  for (const Case& row : {Case{{2, 2}, 5.0 / 32}, {{2, 9}, 0.880}, {{4, 9}, 0.297}, {{5, 9}, 0.130}}) {
    const auto count = count_born_dead(row.shape, 0, 4000, 2);
    EXPECT_TRUE(predict_counted_share("", row.share, 20000, count).holds) << count.share();
    EXPECT_LT(count.share(), born_dead_bound(row.shape));
  }
  EXPECT_EQ(count_born_dead({2, 9}, 0.2, 4000, 2).hits, 0);
}

TEST(Recovery, TakesThePredictedNumberOfSteps) {
  const RecoveryProblem problem;
  EXPECT_EQ(predicted_recovery(problem, 0.01), 3961);
  EXPECT_EQ(predicted_recovery(problem, 0.1), 365);
  EXPECT_EQ(predicted_recovery(problem, 0.2), 169);
  EXPECT_EQ(train_dead_unit(problem, 0.1).steps, 365);
  EXPECT_EQ(train_dead_unit(problem, 0.2).steps, 169);
}

TEST(Recovery, NeverHappensForReLU) {
  RecoveryProblem problem;
  problem.max_steps = 100;
  const auto recovery = train_dead_unit(problem, 0);
  EXPECT_EQ(recovery.steps, -1);
  EXPECT_TRUE(recovery.bit_identical);
  EXPECT_FALSE(train_dead_unit(problem, 0.01).bit_identical);
}

TEST(CorrelationMap, ReachesThePublishedValuesAfterTwentyLayers) {
  for (const auto& [slope, expected] : {std::pair(0.0, 0.9484), {0.2, 0.8922}}) {
    double correlation = 0;
    for (int layer = 0; layer < 20; ++layer) correlation = correlation_map(correlation, slope);
    EXPECT_NEAR(correlation, expected, 5e-5);
  }
  EXPECT_NEAR(correlation_map(1, 0.3), 1, 1e-12);
  EXPECT_NEAR(correlation_map(0.4, 1), 0.4, 1e-12);  // the identity preserves the correlation
}

TEST(CorrelationMap, MatchesWideLayers) {
  const auto measured = measure_correlations({0, 0.2, 1}, 2, 128, 24, 3);
  const auto expect_near_prediction = [](const Correlations& two_layers, double slope) {
    const double predicted = correlation_map(correlation_map(0, slope), slope);
    EXPECT_NEAR(two_layers.mean.back(), predicted, 4 * two_layers.standard_error.back() + 2.0 / 128) << slope;
  };
  expect_near_prediction(measured[0], 0);
  expect_near_prediction(measured[1], 0.2);
  expect_near_prediction(measured[2], 1);
}

TEST(WoundedGan, IsFrozenOnlyAtSlopeZeroWithoutBatchNorm) {
  WoundedGanOptions options;
  options.steps = 6;
  options.probe_every = 3;
  const auto frozen = train_wounded_gan(options);
  EXPECT_TRUE(frozen.generator_bit_identical);
  EXPECT_EQ(frozen.never_positive.back(), 1);
  EXPECT_EQ(frozen.generator_change, (std::vector<double>{0, 0, 0}));
  EXPECT_EQ(frozen.steps, (std::vector<double>{0, 3, 6}));
  options.negative_slope = 0.2;
  EXPECT_FALSE(train_wounded_gan(options).generator_bit_identical);
  options.negative_slope = 0;
  options.norm = DiscriminatorNorm::batch;
  const auto normalised = train_wounded_gan(options);
  EXPECT_FALSE(normalised.generator_bit_identical);
  EXPECT_LT(normalised.never_positive.front(), 0.1);
}

TEST(Prediction, FailsIfTheMeasurementIsOutOfBounds) {
  // 4 · sqrt(0.25 / 100) = 0.2.
  EXPECT_TRUE(predict_share("", 0.5, {69, 100}).holds);
  EXPECT_FALSE(predict_share("", 0.5, {71, 100}).holds);
  EXPECT_TRUE(predict_share("", 0, {0, 100}).holds);
  EXPECT_FALSE(predict_share("", 0, {1, 100}).holds);
  // 4 · sqrt(2 · 0.25 / 100) = 0.283.
  EXPECT_TRUE(predict_counted_share("", 0.5, 100, {78, 100}).holds);
  EXPECT_FALSE(predict_counted_share("", 0.5, 100, {79, 100}).holds);
  EXPECT_EQ(predict_counted_share("", 0.5, 100, {78, 100}).predicted, "simulated 0.5000");
  EXPECT_TRUE(predict_at_most("", 0.5, {3, 100}).holds);
  EXPECT_FALSE(predict_at_most("", 0.5, {71, 100}).holds);
  DyingRelu demo;
  demo.predictions = {predict_share("good", 0, {0, 9}), predict_share("bad", 0, {9, 9})};
  EXPECT_FALSE(demo.all_hold());
  EXPECT_NE(prediction_table(demo.predictions).find("FAILS"), std::string::npos);
}

TEST(CheckPredictions, OnlyWarnsAboutAFailureThatMayBeDueToTheSeed) {
  DyingRelu demo;
  demo.predictions = {predict_share("bad", 0, {9, 9})};
  ::testing::internal::CaptureStderr();
  log::init({});
  EXPECT_NO_THROW(check_predictions(demo, dying_relu_seed + 1));
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("does not hold for seed 1"), std::string::npos);
  EXPECT_THROW(check_predictions(demo, dying_relu_seed), std::runtime_error);
  demo.predictions = {predict_share("good", 0, {0, 9})};
  EXPECT_NO_THROW(check_predictions(demo, dying_relu_seed));
}

}  // namespace
}  // namespace slopegan
