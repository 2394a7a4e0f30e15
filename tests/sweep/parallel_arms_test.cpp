#include "sweep/parallel_arms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slopegan {
namespace {

constexpr std::uint64_t gibibyte = std::uint64_t{1} << 30;

SweepMachine machine(std::int64_t cores, std::uint64_t memory = 64 * gibibyte) {
  return {cores, "all cores", std::nullopt, memory};
}

TEST(ParallelArms, UseOneCoreEach) {
  const auto chosen = choose_parallel_arms({}, 15, machine(8));
  EXPECT_EQ(chosen.jobs, 8);
  EXPECT_EQ(chosen.threads, 1);
  EXPECT_EQ(chosen.reason, "all cores");
}

TEST(ParallelArms, ShareTheCoresThatTheyLeave) {
  const auto chosen = choose_parallel_arms({}, 3, machine(8));
  EXPECT_EQ(chosen.jobs, 3);
  EXPECT_EQ(chosen.threads, 2);
  EXPECT_EQ(choose_parallel_arms({}, 0, machine(8)).jobs, 1);
}

TEST(ParallelArms, AreFewerIfEachHasSeveralThreads) {
  Config config;
  config.training.threads = 3;
  EXPECT_EQ(choose_parallel_arms(config, 15, machine(8)).jobs, 2);
  config.training.threads = 0;
  auto with_variable = machine(8);
  with_variable.threads = 4;
  EXPECT_EQ(choose_parallel_arms(config, 15, with_variable).jobs, 2);
  EXPECT_EQ(choose_parallel_arms(config, 15, with_variable).threads, 4);
  with_variable.threads = 16;
  EXPECT_EQ(choose_parallel_arms(config, 15, with_variable).jobs, 1);
}

TEST(ParallelArms, AreFewerIfTheMemoryDoesNotSuffice) {
  const auto chosen = choose_parallel_arms({}, 64, machine(64, 4 * gibibyte));
  EXPECT_GE(chosen.jobs, 4);
  EXPECT_LE(chosen.jobs, 8);
  EXPECT_THAT(chosen.reason, ::testing::StartsWith("memory: 4096 MiB"));
  EXPECT_EQ(choose_parallel_arms({}, 64, machine(64, 1)).jobs, 1);
  Config large;
  large.data.resolution = 128;
  large.generator.width = 128;
  EXPECT_GT(arm_memory_bytes(large), 4 * arm_memory_bytes({}));
}

TEST(ParallelArms, AreAsManyAsTheConfigurationSays) {
  Config config;
  config.sweep.jobs = 6;
  const auto chosen = choose_parallel_arms(config, 64, machine(2, gibibyte));
  EXPECT_EQ(chosen.jobs, 6);
  EXPECT_EQ(chosen.threads, 1);
  EXPECT_EQ(chosen.reason, "sweep.jobs");
}

}  // namespace
}  // namespace slopegan
