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
  std::string cores_reason;             ///< what limits `cores`; see CoreCount
  std::optional<std::int64_t> threads;  ///< the value of OMP_NUM_THREADS, if set
  std::uint64_t memory_bytes = std::uint64_t{1} << 62;
  std::vector<std::string> gpus{};  ///< the GPUs to train on, as values of CUDA_VISIBLE_DEVICES; empty for the CPU
};

/// Reads the limits of this process, and finds the GPUs if training.device allows them.
SweepMachine this_sweep_machine(const TrainingConfig& training);

/// For each of `count` GPUs, the value of CUDA_VISIBLE_DEVICES that selects only this GPU. `visible` is the value of
/// the variable in this process, a list of indices or UUIDs; std::nullopt if the variable is not set. If it lists
/// several MIG instances, of which a process can use only one, all of them are returned.
std::vector<std::string> gpu_names(const std::optional<std::string>& visible, std::int64_t count);

/// The GPU on which the fewest arms train; `in_use` has one entry per running arm. Empty if there are no GPUs.
std::string least_used_gpu(const std::vector<std::string>& gpus, const std::vector<std::string>& in_use);

/// The environment variables that are set for an arm. CUDA_VISIBLE_DEVICES selects `gpu`, unless `gpu` is empty. If
/// several arms train in parallel, OMP_PROC_BIND=false overrides any thread binding that the user has requested
/// (OMP_PROC_BIND, OMP_PLACES, GOMP_CPU_AFFINITY), because all arms would bind their threads to the same cores.
std::vector<std::string> arm_variables(const std::string& gpu, std::int64_t jobs);

/// The number of arms that train in parallel, and the number of threads of each.
struct ParallelArms {
  std::int64_t jobs = 1;
  std::int64_t threads = 1;
  std::string reason;               ///< what limits `jobs`, for the log: "all cores", "one per GPU"
  std::string threads_reason = {};  ///< what determined `threads`: "training.threads", "all cores, shared by 4 arms"
};

/// Chooses how many of `arms` arms train in parallel, and the number of threads of each, unless sweep.jobs and
/// training.threads set these numbers. Many arms with one thread each train more images per second than one arm with
/// all threads, so there is one arm per core; there are fewer if each arm has several threads, or if the memory does
/// not suffice for arm_memory_bytes per arm. On GPUs, there is one arm per GPU; a larger value of sweep.jobs lets
/// several arms share each GPU.
ParallelArms choose_parallel_arms(const Config& config, std::int64_t arms, const SweepMachine& machine);

/// An estimate of the memory that one arm needs for LibTorch itself and for the feature maps of a step.
std::uint64_t arm_memory_bytes(const Config& config);

}  // namespace slopegan
