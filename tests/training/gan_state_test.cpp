#include "training/gan_state.h"

#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/batchnorm.h>

namespace slopegan {
namespace {

TEST(EmaDecay, HalvesOverTheHalfLifeAndIsFasterAtTheStart) {
  EXPECT_DOUBLE_EQ(ema_decay(10000, 1000000, 10000), 0.5);
  EXPECT_DOUBLE_EQ(ema_decay(10000, 1000000, 100), std::pow(0.5, 0.01));
  EXPECT_DOUBLE_EQ(ema_decay(10000, 100000, 5000), 0.5);  // the half-life is limited to 5 % of the images seen
  EXPECT_DOUBLE_EQ(ema_decay(10000, 0, 64), 0.0);
}

TEST(UpdateEma, AveragesParametersAndRunningStatisticsAndCopiesCounters) {
  torch::nn::BatchNorm2d average(2), live(2);
  {
    const at::NoGradGuard no_gradients;
    live->weight.fill_(3);
    live->running_mean.fill_(8);
    live->num_batches_tracked.fill_(7);
  }
  update_ema(*average, *live, 0.75);
  EXPECT_TRUE(at::allclose(average->weight, at::full({2}, 0.75 * 1 + 0.25 * 3)));
  EXPECT_TRUE(at::allclose(average->running_mean, at::full({2}, 2.0)));
  EXPECT_EQ(average->num_batches_tracked.item<std::int64_t>(), 7);
}

TEST(UpdateEma, WorksOnAModuleWithoutCounters) {
  torch::nn::BatchNorm2d average(torch::nn::BatchNorm2dOptions(2).track_running_stats(false));
  torch::nn::BatchNorm2d live(torch::nn::BatchNorm2dOptions(2).track_running_stats(false));
  {
    const at::NoGradGuard no_gradients;
    live->weight.fill_(3);
  }
  update_ema(*average, *live, 0.5);
  EXPECT_TRUE(at::allclose(average->weight, at::full({2}, 2.0)));
}

}  // namespace
}  // namespace slopegan
