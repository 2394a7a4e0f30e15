#pragma once

#include "config/config.h"
#include "data/dataset.h"
#include "run/checkpoint.h"
#include "run/run_directory.h"
#include "run/run_logs.h"

/// Going on from a checkpoint, but for its tensors.
namespace slopegan {

/// Throws CheckpointError naming the values that differ where `checkpoint` was trained with another configuration or on
/// other images; what does not touch the weights may differ (names, lengths, samples, threads).
void check_resumable(const Config& config, const Dataset& dataset, const Checkpoint& checkpoint);

/// Brings the run's files to where `checkpoint` left them: cuts the logs, removes later checkpoints and samples. One of
/// another run starts this run's logs anew. Throws IoError before anything is cut where a log is too short.
void rewind_to(const Checkpoint& checkpoint, const RunDirectory& directory, RunLogs& logs);

}  // namespace slopegan
