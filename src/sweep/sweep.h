#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "config/load.h"
#include "sweep/arms.h"

namespace slopegan {

/// Part `index` (counted from 1) of the `count` parts into which a sweep's arms are divided, for clusters.
struct Shard {
  std::int64_t index = 1;
  std::int64_t count = 1;
};

/// Parses "2/8". Throws UsageError.
Shard parse_shard(const std::string& text);

/// The arms of the shard: every count-th element of `all`.
std::vector<Arm> arms_of_shard(const std::vector<Arm>& all, const Shard& shard);

/// Loads the sweep.yaml of a sweep that may have been renamed or moved: run.name is the name of the directory, and if
/// data.path does not exist, it is replaced with the absolute path in the checkpoint of an arm. Throws UsageError.
Config load_sweep(const std::filesystem::path& directory);

/// Whether `config` continues a sweep from version 0.9 and therefore reads images like that version (data.as_in_0_9).
bool continues_sweep_of_0_9(const LoadedConfig& config);

/// Creates <run.output_dir>/<run.name> with its sweep.yaml, or reopens it to continue the sweep. Slopes, control,
/// seeds, jobs, threads, name, directories and total images may differ from those of the existing sweep, and all values
/// may differ if none of its arms has been trained. Throws UsageError if anything else differs, if arms were trained on
/// images with a hash other than `dataset_hash` (empty: unknown), or if the directory does not contain a sweep.
std::filesystem::path open_sweep(const Config& config, const std::string& dataset_hash = {});

struct SweepResult {
  /// 0 or the highest exit code of an arm, where 5 (diverged) ranks below all others and a signal counts as 128 +
  /// signal. If the sweep itself was stopped, 128 + signal.
  int exit_code = 0;
  bool stopped = false;  ///< whether a signal stopped the sweep
};

/// Trains the arms of `mine` that still need training, sweep.jobs processes at a time, which share the cores. If an arm
/// fails, its failure is logged and the others continue. results.csv of `all` is rewritten whenever an arm ends. Unless
/// `report_every` is 0, a child process rewrites the sweep's report at this interval.
SweepResult run_sweep(const Config& config, const std::filesystem::path& sweep_dir, const std::vector<Arm>& all,
                      const std::vector<Arm>& mine, std::chrono::seconds report_every = {});

}  // namespace slopegan
