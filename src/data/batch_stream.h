#pragma once

#include <cstdint>
#include <memory>

#include <torch/types.h>

#include "data/dataset.h"
#include "data/part.h"
#include "data/prefetcher.h"

namespace slopegan {

struct BatchStreamOptions {
  std::shared_ptr<const Dataset> dataset;
  std::uint64_t seed = 0;
  std::int64_t rank = 0;          ///< in [0, world_size)
  std::int64_t world_size = 1;    ///< processes that share the batches
  std::int64_t batch_size = 64;   ///< images a batch, over all processes
  std::int64_t resolution = 32;   ///< side of the images that come out
  bool flip = false;              ///< mirror one image in two
  std::int64_t images_seen = 0;   ///< where to start, over all processes
  std::int64_t total_images = 0;  ///< where to end, over all processes
  bool pinned = false;            ///< in memory that a GPU can copy from while the program goes on
};

struct Batch {
  torch::Tensor images;       ///< float32 [B, C, R, R] in [-1, 1], channels-last strides, on the CPU; pinned if wanted
  std::int64_t position = 0;  ///< images seen before this batch, over all processes
  Part part;                  ///< which images of the batch these are; the next one's position is position + total
};

/// The real images in training order. The image at position p (a count over all epochs and processes) is number p mod N
/// of epoch p / N, whose order is a permutation keyed by (seed, epoch); so a stream that starts at images_seen = p goes
/// on exactly as one that came there from 0, and a batch may lie across two epochs. A batch takes the next
/// min(batch_size, images left) positions, of which rank r has Part::of_rank. Batches are prepared ahead on one thread.
class BatchStream {
 public:
  /// Throws std::invalid_argument where an option is out of range.
  explicit BatchStream(const BatchStreamOptions& options);

  /// The next batch. Its tensor may be kept as long as wanted: the memory is used again only where nothing else refers
  /// to it at the following call, and that is how to go without allocations. Throws what the preparing thread threw,
  /// and std::logic_error after the last image.
  Batch next();

 private:
  struct Slot {
    torch::Tensor memory;  // float32, room for the images of the largest part
    Batch batch;
  };
  class Producer;

  Slot new_slot() const;

  BatchStreamOptions options_;
  Slot lent_;  // what the last call of next() handed out
  std::unique_ptr<Prefetcher<Slot>> prefetcher_;
};

}  // namespace slopegan
