#pragma once

#include <vector>

#include "config/config.h"
#include "data/batch_stream.h"
#include "training/gan_step.h"

namespace slopegan {

/// The real images of a run's steps, from the one that follows `images_seen` on: those of all its batches, or the part
/// that rank `rank` of `ranks` has of each.
class RealBatches {
 public:
  /// The data set outlives this. For a computation on a GPU the batches lie in pinned memory.
  RealBatches(const Config& config, const Compute& compute, const Dataset& dataset, std::int64_t images_seen,
              int rank = 0, int ranks = 1);

  /// One batch for each of the discriminator's steps, fewer at the end of the run.
  std::vector<RealImages> next();

 private:
  const Config& config_;
  std::int64_t position_;
  BatchStream stream_;
};

}  // namespace slopegan
