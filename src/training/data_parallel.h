#pragma once

#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "config/config.h"
#include "data/part.h"
#include "distributed/distributed.h"
#include "training/gan_state.h"
#include "training/gradient_buckets.h"

namespace slopegan {

/// Throws UsageError for what several processes cannot train: random slopes (their draws are those of one process's
/// images), and a batch, also the last one of a run that stands at `images_seen`, with fewer images than ranks.
void check_trainable_by(int ranks, const Config& config, std::int64_t images_seen);

/// Makes a step of several processes that of one with the whole batch: gradients are summed, and where
/// training.sync_batch_norm is set, the networks' batch norms take the statistics of all images.
class DataParallel {
 public:
  /// All ranks have the state of rank 0 afterwards. `state` and `ranks` outlive this. Throws UsageError where the ranks
  /// have different configurations or images, and as check_trainable_by does.
  DataParallel(GanState& state, const Config& config, const std::string& dataset_hash, Ranks& ranks);
  ~DataParallel();
  DataParallel(const DataParallel&) = delete;
  DataParallel& operator=(const DataParallel&) = delete;

  /// Scalars that are means over this process's part of a batch, as means over the batch, without gradients; the same
  /// in all processes.
  std::vector<at::Tensor> means_of_batch(const std::vector<at::Tensor>& means, const Part& part);

  /// The gradients over the batch of a loss that is a mean over the part, into the optimiser's parameters.
  void backward(const at::Tensor& loss, const Part& part, const Adam& optimizer);

  /// Where the training has diverged: the networks no longer wait for the others, so that each process can look for the
  /// reason.
  void part_ways() { synchronise({}); }

  /// What all ranks do after the step that began at `images_before`: whether one of them was asked to stop, so that all
  /// do. Now and then, and where a checkpoint is due, their weights are compared: throws std::logic_error where those
  /// differ in a bit, which is a bug of ours.
  bool end_of_step(std::int64_t images_before);

 private:
  void require_same_weights() const;
  void synchronise(const SumOverRanks& sum);
  void share_state();

  GanState& state_;
  const Config& config_;
  Ranks& ranks_;
  GradientBuckets generator_, discriminator_;
};

}  // namespace slopegan
