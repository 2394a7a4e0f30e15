#pragma once

#include <cstddef>
#include <vector>

#include <ATen/core/Tensor.h>

#include "data/part.h"
#include "distributed/ranks.h"
#include "models/block.h"
#include "models/named_tensors.h"

namespace slopegan {

/// Returns copies of rank 0's tensors on every rank. The names and shapes of `tensors` must be the same on all ranks.
NamedTensors broadcast_tensors(const NamedTensors& tensors, Ranks& ranks);

/// Sums the gradients of all ranks while the backward pass runs. Gradients are copied into flat buckets of a few
/// megabytes, last layers first, and the all-reduce of a bucket starts as soon as the bucket is full.
class GradientBuckets {
 public:
  /// Installs hooks on `parameters`, which must all have the same dtype and device. The parameters and `ranks` must
  /// outlive the object.
  GradientBuckets(const NamedTensors& parameters, Ranks& ranks);
  ~GradientBuckets();
  GradientBuckets(const GradientBuckets&) = delete;
  GradientBuckets& operator=(const GradientBuckets&) = delete;

  /// Stores the gradients of `loss`, summed across all ranks, in the parameters. The parameters must not have gradients
  /// before the call.
  void backward(const at::Tensor& loss);

 private:
  class Hook;
  struct Member;
  struct Bucket;

  void reset();
  void add_gradient(std::size_t member);
  void start_full_buckets();

  Ranks& ranks_;
  std::vector<Member> members_;
  std::vector<Bucket> buckets_;
  std::size_t started_ = 0;  ///< number of buckets whose all-reduce has started, in the same order on all ranks
};

/// Makes a step on several ranks equivalent to a step of one process with the whole batch: gradients are summed across
/// the ranks and, with `sync_batch_norm`, batch norm uses the statistics over all images.
class DataParallel {
 public:
  /// The networks and `ranks` must outlive the object. The networks must have the same weights on all ranks
  /// (broadcast_tensors).
  DataParallel(BlockChainImpl& generator, BlockChainImpl& discriminator, Ranks& ranks, bool sync_batch_norm);
  ~DataParallel();
  DataParallel(const DataParallel&) = delete;
  DataParallel& operator=(const DataParallel&) = delete;

  Ranks& ranks() { return ranks_; }

  /// Converts scalars that are means over this rank's part of a batch to means over the whole batch, as float64 scalars
  /// without gradients. The result is the same on all ranks.
  std::vector<at::Tensor> mean_over_batch(const std::vector<at::Tensor>& means, const Part& part);

  /// Computes the gradients of a loss over the whole batch, given its mean over this rank's part, and stores them in
  /// the parameters of `network`, which is one of the two networks passed to the constructor.
  void backward(const at::Tensor& loss, const Part& part, const BlockChainImpl& network);

  /// Stops synchronising batch norm, so that each rank can run the networks on its own. Used to find the cause of a
  /// divergence.
  void disable_sync();

  /// Returns whether the parameters of both networks are bit-identical on all ranks.
  bool has_same_weights() const;

 private:
  void set_sum_over_ranks(const SumOverRanks& sum);

  BlockChainImpl& generator_;
  BlockChainImpl& discriminator_;
  Ranks& ranks_;
  GradientBuckets generator_gradients_, discriminator_gradients_;
};

}  // namespace slopegan
