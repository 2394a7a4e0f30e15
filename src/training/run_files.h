#pragma once

#include <cstdint>
#include <optional>

#include "config/config.h"
#include "data/dataset.h"
#include "models/compute.h"
#include "run/checkpoint.h"
#include "run/run_directory.h"
#include "run/run_info.h"
#include "training/trainer.h"

/// What a run directory holds beside the training's own results.
namespace slopegan {

/// run.json, kept up to date whatever way the run ends.
class RunRecord {
 public:
  /// Writes that the run is going on. Throws IoError.
  RunRecord(const RunDirectory& directory, RunInfo info);
  /// Throws IoError.
  void end(RunStatus status, std::int64_t images);
  /// For a run that ends with an error, which must not give way to another one.
  void end_badly(RunStatus status, std::int64_t images);

 private:
  const RunDirectory& directory_;
  RunInfo info_;
};

/// How the run begins, for its record.
RunInfo describe_run(const Compute& compute, const Dataset& dataset, const std::optional<Checkpoint>& resume,
                     const RunOrigin& origin);

/// config.yaml, overrides.yaml and the folders. Throws IoError.
void write_configuration(const Config& config, const RunDirectory& directory, const RunOrigin& origin);

/// These and reals.png. Throws IoError.
void write_run_files(const Config& config, const Dataset& dataset, const RunDirectory& directory,
                     const RunOrigin& origin);

}  // namespace slopegan
