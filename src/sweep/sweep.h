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

/// Loads the sweep.yaml of a sweep that may have been renamed or moved: run.name is the name of the directory, and if
/// data.path does not exist, it is replaced with the absolute path in the checkpoint of an arm. Throws UsageError.
Config load_sweep(const std::filesystem::path& directory);

/// The configuration with which an existing sweep in the directory of `given` continues: if version 0.9 started it, it
/// reads images like that version (data.as_in_0_9) and keeps its defaults (config/earlier_defaults.h). Returns the
/// given configuration if there is no such sweep. Throws UsageError if its sweep.yaml is invalid.
Config as_existing_sweep(const LoadedConfig& given);

/// <run.output_dir>/<run.name>.
std::filesystem::path sweep_directory(const Config& config);

/// Whether an arm of the sweep has been trained, so that its results depend on the configuration.
bool has_results(const std::filesystem::path& sweep_dir);

/// Creates <run.output_dir>/<run.name> with its sweep.yaml, or reopens it to continue the sweep. Slopes, control,
/// seeds, jobs, threads, name, directories and total images may differ from those of the existing sweep, and all values
/// may differ if none of its arms has been trained. Throws UsageError if anything else differs, if arms were trained on
/// images with a hash other than `dataset_hash` (empty: unknown), or if the directory does not contain a sweep.
std::filesystem::path open_sweep(const Config& config, const std::string& dataset_hash = {});

}  // namespace slopegan
