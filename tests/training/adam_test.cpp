#include "training/adam.h"

#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/optim/adam.h>

namespace slopegan {
namespace {

TEST(Adam, TakesTheSameStepsAsLibTorch) {
  const auto start = at::randn({5, 3});
  auto ours = start.clone().requires_grad_(), theirs = start.clone().requires_grad_();
  Adam adam({{"w", ours}}, {1e-2, 0.5, 0.999});
  torch::optim::Adam reference({theirs}, torch::optim::AdamOptions(1e-2).betas({0.5, 0.999}));
  for (int step = 0; step < 20; ++step) {
    adam.zero_gradients();
    reference.zero_grad();
    ours.pow(3).sin().sum().backward();
    theirs.pow(3).sin().sum().backward();
    adam.step();
    reference.step();
  }
  EXPECT_TRUE(at::allclose(ours, theirs, 1e-6, 1e-7));
  EXPECT_FALSE(at::allclose(ours, start));
}

TEST(Adam, MovesByTheLearningRateInTheFirstStep) {
  auto w = at::zeros({2}).requires_grad_();
  Adam adam({{"w", w}}, {0.1, 0.5, 0.999});
  (w * at::tensor({3.0f, -0.01f})).sum().backward();
  adam.step();
  EXPECT_TRUE(at::allclose(w, at::tensor({-0.1f, 0.1f}), 1e-4));
}

TEST(Adam, SkipsParametersWithoutGradients) {
  auto used = at::ones({2}).requires_grad_(), unused = at::ones({2}).requires_grad_();
  Adam adam({{"used", used}, {"unused", unused}}, {});
  used.sum().backward();
  adam.step();
  EXPECT_TRUE(at::equal(unused, at::ones({2})));
  EXPECT_EQ(adam.state().at("unused.step").item<float>(), 0);
  EXPECT_EQ(adam.state().at("used.step").item<float>(), 1);
}

TEST(Adam, WorksOnChannelsLastWeights) {
  const auto start = at::randn({4, 3, 2, 2});
  auto plain = start.clone().requires_grad_();
  auto last = start.clone().contiguous(at::MemoryFormat::ChannelsLast).requires_grad_();
  Adam a({{"w", plain}}, {}), b({{"w", last}}, {});
  const auto factors = at::randn({4, 3, 2, 2});
  (plain * factors).sum().backward();
  (last * factors).sum().backward();
  a.step();
  b.step();
  EXPECT_TRUE(at::allclose(plain, last));
}

TEST(Adam, ChangesNothingIfTheStepIsMarkedAsBad) {
  auto parameter = at::ones({3}).requires_grad_(), same = at::ones({3}).requires_grad_();
  Adam adam({{"w", parameter}}, {}), plain({{"w", same}}, {});
  for (const float bad : {0.0f, 1.0f, 0.0f}) {
    for (auto* weight : {&parameter, &same}) weight->mutable_grad() = at::full({3}, bad == 1 ? NAN : 2.0f);
    adam.step(at::full({}, bad));
    if (bad == 0) plain.step();
  }
  EXPECT_TRUE(at::equal(parameter, same));
  EXPECT_EQ(adam.state().at("w.step").item<float>(), 2);
  EXPECT_TRUE(at::equal(adam.state().at("w.exp_avg"), plain.state().at("w.exp_avg")));
}

TEST(Adam, ScalesTheLearningRateByTheFactor) {
  auto parameter = at::zeros({1}).requires_grad_();
  Adam adam({{"w", parameter}}, {.learning_rate = 0.5});
  adam.set_rate_factor(0.25);
  parameter.mutable_grad() = at::ones({1});
  adam.step();  // the first step is as large as the learning rate, with the sign opposite to the gradient's
  EXPECT_NEAR(parameter.item<float>(), -0.125, 1e-6);
}

TEST(Adam, RecomputesTheLastUpdate) {
  at::manual_seed(7);
  auto parameter = at::randn({5, 3}).requires_grad_();
  Adam adam({{"weight", parameter}}, {});
  EXPECT_TRUE(at::equal(adam.last_update(adam.slots()[0]), at::zeros({5, 3})));
  for (int step = 0; step < 3; ++step) {
    const auto before = parameter.detach().clone();
    parameter.mutable_grad() = at::randn({5, 3});
    adam.step();
    EXPECT_TRUE(at::allclose(adam.last_update(adam.slots()[0]), before - parameter.detach(), 1e-3, 1e-7));
  }
}

TEST(LearningRateFactor, IsOneByDefault) {
  for (const std::int64_t images : {0, 500, 1000}) EXPECT_EQ(learning_rate_factor({}, 1000, images, 10), 1);
}

TEST(LearningRateFactor, RisesLinearlyDuringWarmup) {
  OptimizerConfig optimizer;
  optimizer.lr_warmup_images = 100;
  EXPECT_DOUBLE_EQ(learning_rate_factor(optimizer, 1000, 0, 10), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate_factor(optimizer, 1000, 40, 10), 0.5);
  EXPECT_EQ(learning_rate_factor(optimizer, 1000, 90, 10), 1);
  EXPECT_EQ(learning_rate_factor(optimizer, 1000, 900, 10), 1);
}

TEST(LearningRateFactor, DecaysToZero) {
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
