#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "config/config.h"
#include "sweep/arms.h"

namespace slopegan {

/// Part I of N of a sweep's arms, for clusters; I from 1.
struct Shard {
  std::int64_t index = 1;
  std::int64_t count = 1;
};

/// "2/8". Throws UsageError.
Shard parse_shard(const std::string& text);

/// The arms of `all` that belong to the shard: every count-th.
std::vector<Arm> arms_of_shard(const std::vector<Arm>& all, const Shard& shard);

/// <run.output_dir>/<run.name> with sweep.yaml in it. One that is there already is gone on with where the configuration
/// is the same (slopes, control, seeds, jobs, threads and images may be others); UsageError with the differences
/// otherwise.
std::filesystem::path open_sweep(const Config& config);

/// How a sweep ended: 0, or the highest exit code of its arms where one did not end well (128 + signal where a signal
/// ended one; a divergence counts least), or 128 + signal where the sweep was told to stop.
struct SweepResult {
  int exit_code = 0;
  bool stopped = false;
};

/// Trains the arms of `mine` that are not over, sweep.jobs processes at a time with the cores shared out among them. An
/// arm that fails is reported and the others go on. results.csv of all arms is written as they end. Every
/// `report_every`, where it is not 0, a process of its own writes the sweep's report anew.
SweepResult run_sweep(const Config& config, const std::filesystem::path& sweep_dir, const std::vector<Arm>& all,
                      const std::vector<Arm>& mine, std::chrono::seconds report_every = {});

}  // namespace slopegan
