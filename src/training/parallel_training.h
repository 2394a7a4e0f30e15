#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "config/config.h"
#include "data/dataset.h"
#include "distributed/data_parallel.h"
#include "models/compute.h"
#include "training/gan_state.h"
#include "training/trainer.h"

/// Training with several ranks: rank 0 runs train(), and the other ranks run follow().
namespace slopegan {

/// Throws UsageError if `ranks` processes cannot continue a run with `config` after `images_seen` images. Networks with
/// random slopes support only one process, because several ranks would not draw the same slopes as a single process.
/// Every batch, including the last one, must have at least as many images as there are ranks.
void check_trainable_by(int ranks, const Config& config, std::int64_t images_seen);

/// Copies the state of rank 0 to all ranks and prepares the ranks to take steps together. Collective. Throws UsageError
/// if the ranks have different configurations or images, or if check_trainable_by does.
std::unique_ptr<DataParallel> join_ranks(GanState& state, const Config& config, const std::string& dataset_hash,
                                         Ranks& ranks);

/// Ends a step that began at `images_before` images. Returns true if a signal asked any rank to stop, in which case all
/// ranks stop. Collective. Compares the weights of all ranks every 100 steps, before each regular checkpoint, and when
/// training ends or stops. Throws std::logic_error if they differ in any bit, which would be a bug in this program.
bool end_step(DataParallel& parallel, const GanState& state, const Config& config, std::int64_t images_before);

/// Trains as a rank other than the first: takes the same steps as train() on this rank's parts of the batches, starting
/// from the state of rank 0. Writes no files. Throws the same exceptions as train and Ranks.
TrainEnd follow(const Config& config, const Compute& compute, const Dataset& dataset, Ranks& ranks);

}  // namespace slopegan
