#include "training/real_batches.h"

#include <memory>

namespace slopegan {

static BatchStreamOptions stream_options(const Config& config, const Compute& compute, const Dataset& dataset,
                                         std::int64_t images_seen, int rank, int ranks) {
  BatchStreamOptions options;
  // The caller's data set outlives the stream.
  options.dataset = std::shared_ptr<const Dataset>(std::shared_ptr<const Dataset>(), &dataset);
  options.seed = static_cast<std::uint64_t>(config.seed);
  options.rank = rank;
  options.world_size = ranks;
  options.batch_size = config.training.batch_size;
  options.resolution = config.data.resolution;
  options.flip = config.data.flip;
  options.images_seen = images_seen;
  options.total_images = config.training.total_images;
  options.pinned = compute.device.is_cuda();
  return options;
}

RealBatches::RealBatches(const Config& config, const Compute& compute, const Dataset& dataset, std::int64_t images_seen,
                         int rank, int ranks)
    : config_(config),
      position_(images_seen),
      stream_(stream_options(config, compute, dataset, images_seen, rank, ranks)) {}

std::vector<RealImages> RealBatches::next() {
  std::vector<RealImages> batches;
  for (std::int64_t i = 0; i < config_.optimizer.discriminator_steps && position_ < config_.training.total_images;
       ++i) {
    auto batch = stream_.next();
    batches.emplace_back(std::move(batch.images), batch.part);
    position_ += batch.part.total;
  }
  return batches;
}

}  // namespace slopegan
