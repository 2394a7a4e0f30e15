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

/// How the run begins, for its record.
RunInfo describe_run(const Compute& compute, const Dataset& dataset, const std::optional<Checkpoint>& resume,
                     const RunOrigin& origin);

/// config.yaml, overrides.yaml and the folders. Throws IoError.
void write_configuration(const Config& config, const RunDirectory& directory, const RunOrigin& origin);

/// These and reals.png. Throws IoError.
void write_run_files(const Config& config, const Dataset& dataset, const RunDirectory& directory,
                     const RunOrigin& origin);

}  // namespace slopegan
