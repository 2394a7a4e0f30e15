#include "training/follower.h"

#include "support/errors.h"
#include "training/data_parallel.h"
#include "training/gan_step.h"
#include "training/real_batches.h"

namespace slopegan {

TrainEnd follow(const Config& config, const Compute& compute, const Dataset& dataset, Ranks& ranks) {
  GanState state(config, dataset.channels(), compute.device);
  DataParallel parallel(state, config, dataset.hash, ranks);
  const std::int64_t total = config.training.total_images;
  if (state.images_seen >= total) return TrainEnd::done;
  RealBatches batches(config, compute, dataset, state.images_seen, ranks.rank(), ranks.size());
  GanStep step(state, config, compute, &parallel);
  while (state.images_seen < total) {
    const std::int64_t before = state.images_seen;
    step.take(batches.next());
    if (parallel.end_of_step(before) && state.images_seen < total) return TrainEnd::stopped;
  }
  return TrainEnd::done;
}

}  // namespace slopegan
