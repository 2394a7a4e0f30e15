#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <ATen/core/Tensor.h>

#include "distributed/rank_environment.h"

namespace slopegan {

/// The processes that train one network together, over LibTorch's c10d: Gloo on CPUs, NCCL for the gradients of GPUs
/// where LibTorch has it. All of them call the same functions in the same order; what is not said to be quick waits for
/// the slowest. Another process that ends, or of which nothing is heard for half a minute, ends this one: the functions
/// throw, or, where the process is busy elsewhere, it exits from another thread; Error with the exit code of one that
/// said why it ended, IoError for one that was lost.
class Ranks {
 public:
  /// Meets the others. Throws IoError where they do not come within five minutes; UsageError where this program was
  /// built without Gloo.
  Ranks(const RankEnvironment& environment, at::Device device);
  ~Ranks();
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  int rank() const { return environment_.rank; }
  int size() const { return environment_.size; }
  bool is_first() const { return rank() == 0; }

  /// A sum that others may still add to. The tensor belongs to it until wait() returns.
  class PendingSum {
   public:
    void wait();

   private:
    friend class Ranks;
    struct State;
    std::shared_ptr<State> state_;
  };

  /// Begins to add the contiguous tensors of all ranks up, in place; afterwards all have the same bits.
  PendingSum start_sum(const at::Tensor& tensor);
  void sum(const at::Tensor& tensor) { start_sum(tensor).wait(); }

  /// Everybody gets rank 0's values of the contiguous tensor.
  void share(const at::Tensor& tensor);

  /// The highest of the ranks' numbers.
  std::int64_t highest(std::int64_t number);

  /// Whether all ranks give the same text.
  bool is_same_everywhere(const std::string& text);

  /// All have done their work: nobody misses anybody who leaves from now on.
  void finish();

  /// Tells the others that this process ends with that exit code; throws nothing.
  void leave(int exit_code);

 private:
  struct Connection;
  RankEnvironment environment_;
  std::shared_ptr<Connection> connection_;
};

}  // namespace slopegan
