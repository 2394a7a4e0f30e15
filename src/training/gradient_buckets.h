#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>

#include "distributed/distributed.h"
#include "training/adam.h"

namespace slopegan {

/// Adds up the gradients of all ranks while the backward pass goes on: the gradients are gathered in flat tensors of
/// some megabytes, last layers first, and each is sent as soon as it is full.
class GradientBuckets {
 public:
  /// Watches the optimiser's parameters for as long as it lives; both and `ranks` outlive it.
  GradientBuckets(const Adam& optimizer, Ranks& ranks);
  ~GradientBuckets();
  GradientBuckets(const GradientBuckets&) = delete;
  GradientBuckets& operator=(const GradientBuckets&) = delete;

  /// The gradients of `loss`, summed over all ranks, into the parameters, which have none before.
  void backward(const at::Tensor& loss);

  std::size_t size() const { return buckets_.size(); }

 private:
  struct Member {
    at::Tensor parameter;
    at::Tensor place;  ///< in the bucket, of the parameter's shape and strides
    std::size_t bucket;
    bool ready;
  };
  struct Bucket {
    at::Tensor flat;
    std::size_t missing;  ///< gradients
    std::optional<Ranks::PendingSum> sum;
  };
  struct Hook;

  void reset();
  void take(std::size_t member);
  void send_full();

  Ranks& ranks_;
  std::vector<Member> members_;
  std::vector<Bucket> buckets_;
  std::size_t sent_ = 0;  ///< buckets; they go in the same order everywhere
};

}  // namespace slopegan
