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

TEST(ParallelArms, UseTheRemainingCoresForMoreThreads) {
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

TEST(ParallelArms, ReportWhatDeterminedTheNumberOfThreads) {
  Config config;
  auto with_variable = machine(8);
  EXPECT_EQ(choose_parallel_arms(config, 1, with_variable).threads_reason, "all cores");
  EXPECT_EQ(choose_parallel_arms(config, 4, with_variable).threads_reason, "all cores, shared by 4 arms");
  with_variable.threads = 2;
  EXPECT_EQ(choose_parallel_arms(config, 4, with_variable).threads_reason, "OMP_NUM_THREADS");
  config.training.threads = 3;
  EXPECT_EQ(choose_parallel_arms(config, 4, with_variable).threads_reason, "training.threads");
}

TEST(ParallelArms, AreFewerIfThereIsTooLittleMemory) {
  Config config;
  config.training.batch_size = 64;
  const auto chosen = choose_parallel_arms(config, 64, machine(64, 4 * gibibyte));
  EXPECT_GE(chosen.jobs, 4);
  EXPECT_LE(chosen.jobs, 8);
  EXPECT_THAT(chosen.reason, ::testing::StartsWith("memory: 4096 MiB"));
  EXPECT_EQ(choose_parallel_arms(config, 64, machine(64, 1)).jobs, 1);
  Config large = config;
  large.data.resolution = 128;
  large.generator.width = 128;
  EXPECT_GT(arm_memory_bytes(large), 4 * arm_memory_bytes(config));
}

TEST(ParallelArms, UseOneGpuEach) {
  auto with_gpus = machine(16);
  with_gpus.gpus = {"0", "1", "2", "3"};
  const auto chosen = choose_parallel_arms({}, 15, with_gpus);
  EXPECT_EQ(chosen.jobs, 4);
  EXPECT_EQ(chosen.threads, 4);
  EXPECT_EQ(chosen.reason, "one per GPU");
  EXPECT_EQ(choose_parallel_arms({}, 3, with_gpus).jobs, 3);
  Config config;
  config.sweep.jobs = 8;
  EXPECT_EQ(choose_parallel_arms(config, 15, with_gpus).jobs, 8) << "two arms share a GPU";
}

TEST(GpuNames, AreTakenFromTheEnvironmentOfTheSweep) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(gpu_names(std::nullopt, 3), (Names{"0", "1", "2"}));
  EXPECT_EQ(gpu_names("5,7", 2), (Names{"5", "7"}));
  EXPECT_EQ(gpu_names("GPU-8932f937, GPU-4f12", 2), (Names{"GPU-8932f937", "GPU-4f12"}));
  EXPECT_EQ(gpu_names("MIG-4f12, MIG-5a03,MIG-77", 1), (Names{"MIG-4f12", "MIG-5a03", "MIG-77"}))
      << "a process counts only one MIG instance";
  EXPECT_EQ(gpu_names("3,-1,4", 1), (Names{"3"})) << "CUDA ignores what follows an invalid entry";
  EXPECT_EQ(gpu_names("0", 0), Names{});
}

TEST(LeastUsedGpu, IsTheFirstOfThoseWithTheFewestArms) {
  const std::vector<std::string> gpus = {"5", "7", "9"};
  EXPECT_EQ(least_used_gpu(gpus, {}), "5");
  EXPECT_EQ(least_used_gpu(gpus, {"5"}), "7");
  EXPECT_EQ(least_used_gpu(gpus, {"5", "7", "9", "5", "9"}), "7");
  EXPECT_EQ(least_used_gpu({}, {}), "");
}

TEST(ArmVariables, SelectTheGpuOfAnArm) {
  EXPECT_EQ(arm_variables("7", 1), (std::vector<std::string>{"CUDA_VISIBLE_DEVICES=7"}));
  EXPECT_TRUE(arm_variables("", 1).empty());
}

TEST(ArmVariables, PreventParallelArmsFromBindingTheirThreadsToTheSameCores) {
  EXPECT_EQ(arm_variables("", 2), (std::vector<std::string>{"OMP_PROC_BIND=false"}));
  EXPECT_EQ(arm_variables("7", 2), (std::vector<std::string>{"CUDA_VISIBLE_DEVICES=7", "OMP_PROC_BIND=false"}));
}

TEST(ParallelArms, AreAsManyAsTheConfigurationRequests) {
  Config config;
  config.sweep.jobs = 6;
  const auto chosen = choose_parallel_arms(config, 64, machine(2, gibibyte));
  EXPECT_EQ(chosen.jobs, 6);
  EXPECT_EQ(chosen.threads, 1);
  EXPECT_EQ(chosen.reason, "sweep.jobs");
}

}  // namespace
}  // namespace slopegan
