#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"

namespace slopegan {

/// The resources of the machine that a sweep may use.
struct SweepMachine {
  std::int64_t cores = 1;
  std::string cores_reason;             ///< as in CoreCount
  std::optional<std::int64_t> threads;  ///< OMP_NUM_THREADS
  std::uint64_t memory_bytes = std::uint64_t{1} << 62;
  std::vector<std::string> gpus{};  ///< the GPUs to train on, as values of CUDA_VISIBLE_DEVICES; empty: the CPU
};

/// Reads the limits of this process, and finds the GPUs if training.device allows them.
SweepMachine this_sweep_machine(const TrainingConfig& training);

/// The value of CUDA_VISIBLE_DEVICES that selects one of `count` GPUs, for each of them. `visible` is the value that
/// this process has, whose entries are indices or UUIDs; std::nullopt if the variable is not set.
std::vector<std::string> gpu_names(const std::optional<std::string>& visible, std::int64_t count);

/// The GPU on which the fewest arms train; `in_use` has one entry per running arm.
const std::string& least_used_gpu(const std::vector<std::string>& gpus, const std::vector<std::string>& in_use);

/// The number of arms that train side by side, and the number of threads of each.
struct ParallelArms {
  std::int64_t jobs = 1;
  std::int64_t threads = 1;
  std::string reason;  ///< "one per core (all cores)", for the log
};

/// Chooses the jobs and threads that the configuration leaves open (sweep.jobs and training.threads are 0) for `arms`
/// arms. Many arms with one thread each train more images per second than one arm with all threads, so there is one arm
/// per core if each has one thread, and fewer if arms_memory_bytes does not fit into the memory for all of them.
/// On GPUs, there is one arm per GPU; a larger value of sweep.jobs lets several arms share each GPU.
ParallelArms choose_parallel_arms(const Config& config, std::int64_t arms, const SweepMachine& machine);

/// An estimate of the memory of one arm: LibTorch itself, and the feature maps of a step.
std::uint64_t arm_memory_bytes(const Config& config);

}  // namespace slopegan
