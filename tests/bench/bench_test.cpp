#include "bench/bench.h"

#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/compute.h"
#include "training/gan_state.h"

namespace slopegan {
namespace {

Config config_of(std::int64_t resolution, std::int64_t width) {
  Config config;
  config.data.resolution = resolution;
  config.generator.width = config.discriminator.width = width;
  return config;
}

double flop_of(std::int64_t resolution, std::int64_t width, std::int64_t channels) {
  const GanState state(config_of(resolution, width), channels, at::kCPU);
  return step_flop(*state.generator, *state.discriminator, resolution);
}

// The expected value is the sum over the layers of 2 · in · out · 16 · positions, times 8 for the discriminator and 3
// for the generator.
TEST(StepFlop, CountsTheProductsOfEveryLayer) {
  const double wide = 2.0 * 16 * (32 * 64 * 64 + 64 * 128 * 16);
  const double discriminator = wide + 2.0 * 16 * (1 * 32 * 256 + 128),
               generator = wide + 2.0 * 16 * (32 * 256 + 100 * 128);
  EXPECT_DOUBLE_EQ(flop_of(32, 32, 1), 8 * discriminator + 3 * generator);
  EXPECT_NEAR(flop_of(32, 32, 1), 96e6, 1e6);
  EXPECT_NEAR(flop_of(64, 64, 3), 2.29e9, 0.01e9);
  const GanState state(config_of(32, 32), 1, at::kCPU);
  EXPECT_DOUBLE_EQ(step_flop(*state.generator, *state.discriminator, 32, 3), 20 * discriminator + 5 * generator);
}

constexpr RoundOptions short_rounds{.seconds = 0, .min_rounds = 1, .max_rounds = 1, .seconds_per_measurement = 0};

std::vector<std::string> names_of(const BenchResult& result) {
  std::vector<std::string> names;
  for (const auto& row : result.rows) {
    names.push_back(row.bench_case.name);
    EXPECT_GT(row.timing.median(), 0) << names.back();
  }
  return names;
}

TEST(BenchStep, CountsTheImagesOfEveryDiscriminatorStep) {
  Config config = config_of(32, 8);
  config.training.batch_size = 4;
  config.training.threads = 1;
  config.training.precision = Precision::float32;
  config.optimizer.discriminator_steps = 3;
  EXPECT_EQ(bench_step({{"a", config}}, 1, short_rounds).rows.back().bench_case.images, 12);
}

TEST(BenchStep, MeasuresOnePeriodOfThePenalties) {
  const auto steps = [](double r1, std::int64_t r1_every, std::int64_t discriminator_steps) {
    Config config = config_of(32, 8);
    config.training.batch_size = 4;
    config.training.threads = 1;
    config.training.precision = Precision::float32;
    config.loss.r1 = r1;
    config.loss.r1_every = r1_every;
    config.optimizer.discriminator_steps = discriminator_steps;
    return bench_step({{"a", config}}, 1, short_rounds).rows.back().bench_case.repeats;
  };
  EXPECT_EQ(steps(0, 4, 1), 1);
  EXPECT_EQ(steps(1, 4, 1), 4);
  EXPECT_EQ(steps(1, 4, 2), 2);
  EXPECT_EQ(steps(1, 3, 2), 3);
}

TEST(BenchStep, MeasuresEachVariantAndTheReferencesOfItsDtype) {
  Config narrow = config_of(32, 8);
  narrow.training.batch_size = 4;
  narrow.training.threads = 1;
  narrow.training.precision = Precision::float32;
  Config rounded = narrow;
  rounded.training.precision = Precision::bfloat16;
  const auto result = bench_step({{"a", narrow}, {"b", rounded}}, 3, short_rounds);
  const std::string size = has_native_bfloat16(at::kCPU) ? "2048" : "256";  // emulated products are slow
  EXPECT_THAT(names_of(result),
              ::testing::ElementsAre("matrix product, size 2048, float32", "convolution 8 to 16 at 16, float32",
                                     "matrix product, size " + size + ", bfloat16",
                                     "convolution 8 to 16 at 16, bfloat16", "step, a", "step, b"));
  EXPECT_GT(result.rows[5].ceiling, 0);
}

TEST(BenchInference, MeasuresEachVariantWithOneImageAndWithABatch) {
  Config config = config_of(32, 8);
  config.training.threads = 1;
  const auto result = bench_inference({{"a", config}, {"b", config}}, 1, short_rounds);
  EXPECT_THAT(names_of(result),
              ::testing::ElementsAre("1 at a time, a", "1 at a time, b", "64 at a time, a", "64 at a time, b"));
  EXPECT_EQ(result.rows[2].bench_case.images, 64);
}

}  // namespace
}  // namespace slopegan
