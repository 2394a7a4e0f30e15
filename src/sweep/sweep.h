#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "config/load.h"
#include "sweep/arms.h"

namespace slopegan {

/// Part `index` (from 1) of `count` of a sweep's arms, for clusters.
struct Shard {
  std::int64_t index = 1;
  std::int64_t count = 1;
};

/// Parses "2/8". Throws UsageError.
Shard parse_shard(const std::string& text);

/// The arms of the shard: every count-th of `all`.
std::vector<Arm> arms_of_shard(const std::vector<Arm>& all, const Shard& shard);

/// Loads the sweep.yaml of a sweep that may have been renamed or moved: run.name is the name of the directory, and if
/// data.path does not exist, it is the absolute path in a checkpoint of an arm. Throws UsageError.
Config load_sweep(const std::filesystem::path& directory);

/// Whether `config` continues a sweep of version 0.9, whose reading of images it keeps (data.as_in_0_9).
bool continues_sweep_of_0_9(const LoadedConfig& config);

/// Creates <run.output_dir>/<run.name> with its sweep.yaml, or reopens it to continue. A sweep can be continued with
/// other slopes, control, seeds, jobs, threads, name, directories and total images, and with any values if none of its
/// arms has been trained. Throws UsageError if anything else differs, if arms were trained on images with another hash
/// than `dataset_hash` (empty: unknown), or if the directory contains something else.
std::filesystem::path open_sweep(const Config& config, const std::string& dataset_hash = {});

struct SweepResult {
  /// 0, or the highest exit code of an arm, where 5 (diverged) ranks below all others and a signal counts as
  /// 128 + signal. 128 + signal if the sweep itself was stopped.
  int exit_code = 0;
  bool stopped = false;  ///< by a signal
};

/// Trains the arms of `mine` that still need training, sweep.jobs processes at a time, which share the cores. If an arm
/// fails, its failure is logged and the others continue. results.csv of `all` is rewritten whenever an arm ends. Unless
/// `report_every` is 0, a child process rewrites the sweep's report at this interval.
SweepResult run_sweep(const Config& config, const std::filesystem::path& sweep_dir, const std::vector<Arm>& all,
                      const std::vector<Arm>& mine, std::chrono::seconds report_every = {});

}  // namespace slopegan
