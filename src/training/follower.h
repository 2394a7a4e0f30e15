#pragma once

#include "config/config.h"
#include "data/dataset.h"
#include "distributed/distributed.h"
#include "models/compute.h"
#include "training/trainer.h"

namespace slopegan {

/// What all ranks but the first do while that one trains: the same steps with their parts of the batches, from the
/// state that rank 0 has. Writes nothing. Throws as train and Ranks do.
TrainEnd follow(const Config& config, const Compute& compute, const Dataset& dataset, Ranks& ranks);

}  // namespace slopegan
