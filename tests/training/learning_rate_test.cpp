#include "training/learning_rate.h"

#include <cmath>

#include <gtest/gtest.h>

namespace slopegan {
namespace {

TEST(LearningRateFactor, IsOneByDefault) {
  for (const std::int64_t images : {0, 500, 1000}) EXPECT_EQ(learning_rate_factor({}, 1000, images, 10), 1);
}

TEST(LearningRateFactor, RisesLinearlyToTheEndOfTheWarmUp) {
  OptimizerConfig optimizer;
  optimizer.lr_warmup_images = 100;
  EXPECT_DOUBLE_EQ(learning_rate_factor(optimizer, 1000, 0, 10), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate_factor(optimizer, 1000, 40, 10), 0.5);
  EXPECT_EQ(learning_rate_factor(optimizer, 1000, 90, 10), 1);
  EXPECT_EQ(learning_rate_factor(optimizer, 1000, 900, 10), 1);
}

TEST(LearningRateFactor, FallsToZero) {
  OptimizerConfig optimizer;
  optimizer.lr_decay = LearningRateDecay::linear;
  EXPECT_EQ(learning_rate_factor(optimizer, 1000, 0, 10), 1);
  EXPECT_DOUBLE_EQ(learning_rate_factor(optimizer, 1000, 250, 10), 0.75);
  optimizer.lr_decay = LearningRateDecay::cosine;
  EXPECT_DOUBLE_EQ(learning_rate_factor(optimizer, 1000, 250, 10), (1 + std::sqrt(0.5)) / 2);
  optimizer.lr_decay_images = 500;
  EXPECT_DOUBLE_EQ(learning_rate_factor(optimizer, 1000, 250, 10), 0.5);
  EXPECT_NEAR(learning_rate_factor(optimizer, 1000, 800, 10), 0, 1e-15);
}

}  // namespace
}  // namespace slopegan
