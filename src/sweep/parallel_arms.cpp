#include "sweep/parallel_arms.h"

#include <algorithm>
#include <sstream>

#include <ATen/Context.h>

#include "distributed/rank_environment.h"
#include "support/machine.h"
#include "support/text.h"

namespace slopegan {

SweepMachine this_sweep_machine(const TrainingConfig& training) {
  const auto [cores, reason] = usable_core_count();
  SweepMachine machine{cores, reason, threads_of_environment(), usable_memory_bytes()};
  if (training.device == Device::cpu || !at::hasCUDA()) return machine;
  machine.gpus = gpu_names(environment_value("CUDA_VISIBLE_DEVICES"), static_cast<std::int64_t>(at::getNumGPUs()));
  return machine;
}

std::vector<std::string> gpu_names(const std::optional<std::string>& visible, std::int64_t count) {
  std::vector<std::string> names;
  std::istringstream entries(visible.value_or(""));
  for (std::string entry; count > 0 && std::getline(entries, entry, ',');) {
    const auto first = entry.find_first_not_of(' ');
    if (first == std::string::npos) break;
    const auto name = entry.substr(first, entry.find_last_not_of(' ') + 1 - first);
    // A process can use only one MIG instance, so `count` is 1 however many instances are listed.
    if (std::ssize(names) >= count && !name.starts_with("MIG-")) break;
    names.push_back(name);
  }
  for (auto index = std::ssize(names); index < count; ++index) names.push_back(std::to_string(index));
  return names;
}

std::string least_used_gpu(const std::vector<std::string>& gpus, const std::vector<std::string>& in_use) {
  if (gpus.empty()) return {};
  return *std::ranges::min_element(gpus, {}, [&](const std::string& gpu) { return std::ranges::count(in_use, gpu); });
}

std::vector<std::string> arm_variables(const std::string& gpu, std::int64_t jobs) {
  std::vector<std::string> variables;
  if (!gpu.empty()) variables.push_back("CUDA_VISIBLE_DEVICES=" + gpu);
  if (jobs > 1) variables.emplace_back("OMP_PROC_BIND=false");
  return variables;
}

std::uint64_t arm_memory_bytes(const Config& config) {
  constexpr std::uint64_t program = std::uint64_t{512} << 20;
  // The largest feature maps have half the resolution. The other layers together need the same amount, and a step keeps
  // about ten copies in float32: for both networks, for real and generated images, and for gradients.
  const std::int64_t side = config.data.resolution / 2;
  const std::int64_t width = std::max(config.generator.width, config.discriminator.width);
  const std::int64_t maps = 2 * config.training.batch_size * side * side * width;
  return program + static_cast<std::uint64_t>(maps) * 10 * sizeof(float);
}

ParallelArms choose_parallel_arms(const Config& config, std::int64_t arms, const SweepMachine& machine) {
  arms = std::max<std::int64_t>(1, arms);
  std::int64_t threads = config.training.threads > 0 ? config.training.threads : machine.threads.value_or(0);
  ParallelArms chosen;
  if (config.sweep.jobs > 0) {
    chosen.jobs = std::min(arms, config.sweep.jobs);
    chosen.reason = "sweep.jobs";
  } else if (!machine.gpus.empty()) {
    chosen.jobs = std::min<std::int64_t>(arms, std::ssize(machine.gpus));
    chosen.reason = "one per GPU";
  } else {
    const std::int64_t by_cores = std::max<std::int64_t>(1, machine.cores / std::max<std::int64_t>(1, threads));
    const auto in_memory = static_cast<std::int64_t>(machine.memory_bytes / arm_memory_bytes(config));
    chosen.jobs = std::max<std::int64_t>(1, std::min({arms, by_cores, in_memory}));
    chosen.reason = machine.cores_reason;
    if (in_memory < std::min(arms, by_cores)) {
      chosen.reason = format_text("memory: {} MiB, about {} MiB per arm", machine.memory_bytes >> 20,
                                  arm_memory_bytes(config) >> 20);
    }
  }
  chosen.threads_reason = config.training.threads > 0 ? "training.threads" : "OMP_NUM_THREADS";
  if (threads == 0) {
    threads = std::max<std::int64_t>(1, machine.cores / chosen.jobs);
    chosen.threads_reason = machine.cores_reason;
    if (chosen.jobs > 1) chosen.threads_reason += format_text(", shared by {} arms", chosen.jobs);
  }
  chosen.threads = threads;
  return chosen;
}

}  // namespace slopegan
