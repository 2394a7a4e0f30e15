#pragma once

#include <cstdint>
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

/// Loads the sweep.yaml of a sweep that may have been renamed or moved: run.name is set to the name of the directory,
/// and if data.path does not exist, it is replaced with the absolute path in the checkpoint of an arm. Throws
/// UsageError.
Config load_sweep(const std::filesystem::path& directory);

/// The configuration with which an existing sweep in the directory of `given` continues. If version 0.9 started the
/// sweep, images are read as in that version (data.as_in_0_9), and the defaults of that version are kept
/// (config/earlier_defaults.h), unless `given` sets other values. Returns the given configuration if there is no such
/// sweep. Throws UsageError if the sweep.yaml is invalid.
Config as_existing_sweep(const LoadedConfig& given);

/// Throws UsageError if <run.output_dir>/<run.name> contains something other than a sweep, such as a run, or is a
/// symlink to a directory without a sweep. Changes nothing. open_sweep calls this function too.
void check_sweep_directory(const Config& config);

/// Whether any arm of the sweep has been trained, at least in part. If so, only a few keys of the configuration may
/// still change.
bool has_results(const std::filesystem::path& sweep_dir);

/// Whether any process is training an arm of the sweep.
bool is_in_training(const std::filesystem::path& sweep_dir);

/// Creates <run.output_dir>/<run.name> with its sweep.yaml, or reopens it to continue the sweep. If arms of the
/// existing sweep have been trained or are in training, only the following may change: slopes, control, seeds,
/// sweep.alpha, sweep.equivalence, sweep.give_up, sweep.stop_running, jobs, threads, name, directories and total
/// images; conditions may be added at the end. Throws UsageError if anything else differs, if arms were trained on
/// images with a hash other than `dataset_hash` (empty if unknown), or if the directory exists but does not contain a
/// sweep.
std::filesystem::path open_sweep(const Config& config, const std::string& dataset_hash = {});

}  // namespace slopegan
