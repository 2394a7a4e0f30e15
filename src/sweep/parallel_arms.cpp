#include "sweep/parallel_arms.h"

#include <algorithm>

#include "support/machine.h"
#include "support/text.h"

namespace slopegan {

SweepMachine this_sweep_machine() {
  const auto [cores, reason] = usable_core_count();
  return {cores, reason, threads_of_environment(), usable_memory_bytes()};
}

std::uint64_t arm_memory_bytes(const Config& config) {
  constexpr std::uint64_t program = std::uint64_t{512} << 20;
  // The largest feature maps have half the resolution. The other layers need as much again, and a step keeps about ten
  // copies in float32: of both networks, for real and generated images, with gradients.
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
  if (threads == 0) threads = std::max<std::int64_t>(1, machine.cores / chosen.jobs);
  chosen.threads = threads;
  return chosen;
}

}  // namespace slopegan
