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
  std::int64_t world_size = 1;    ///< number of processes that share the batches
  std::int64_t batch_size = 64;   ///< global batch size (all processes together)
  std::int64_t resolution = 32;   ///< height and width of the resulting images
  bool flip = false;              ///< mirror each image with probability 1/2
  std::int64_t images_seen = 0;   ///< position of the first image, across all processes
  std::int64_t total_images = 0;  ///< position after the last image, across all processes
  bool pinned = false;            ///< page-locked memory, for asynchronous copies to a GPU
};

struct Batch {
  torch::Tensor images;       ///< float32 [B, C, R, R] in [-1, 1], channels-last strides, on the CPU
  std::int64_t position = 0;  ///< images seen before this batch, across all processes
  Part part;                  ///< the part of the batch in `images`; the next batch starts at position + part.total
};

/// The real images in training order. The image at position p (counted across all epochs and processes) is image p mod
/// N of epoch p / N. The order of the images in an epoch is a permutation keyed by (seed, epoch). Hence a stream that
/// starts at images_seen = p continues exactly like one that reached p from 0. A batch consists of the next
/// min(batch_size, images left) positions, which may span several epochs; rank r gets the part that Part::of_rank
/// returns. A worker thread prepares batches ahead of time.
class BatchStream {
 public:
  /// Throws std::invalid_argument if an option is out of range.
  explicit BatchStream(const BatchStreamOptions& options);

  /// Returns the next batch. The caller may keep its tensor: the following call reuses the memory only if no tensor
  /// refers to it any more. Rethrows exceptions from the worker thread, and throws std::logic_error after the last
  /// image.
  Batch next();

 private:
  struct Slot {
    torch::Tensor memory;  // float32, large enough for the largest part
    Batch batch;
  };
  class Producer;

  Slot new_slot() const;

  BatchStreamOptions options_;
  Slot lent_;  // the slot returned by the last call to next()
  std::unique_ptr<Prefetcher<Slot>> prefetcher_;
};

}  // namespace slopegan
