#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <ATen/core/Tensor.h>

#include "distributed/rank_environment.h"

namespace slopegan {

/// The processes that train one network together, connected through LibTorch's c10d: with Gloo on CPUs, and with NCCL
/// for tensors on GPUs if LibTorch supports it.
///
/// The calls are collective unless noted: every rank makes the same calls in the same order, and they block until all
/// ranks take part. If another rank exits or stops responding, this process ends within half a minute: the calls throw
/// an exception or, if the process is not in a call, a watchdog thread makes the process exit. If the other rank has
/// announced its end, the exception is an Error with the exit code of that rank; if the rank was lost, it is an
/// IoError.
class Ranks {
 public:
  /// Connects to the other ranks. Throws IoError if they do not all connect within five minutes, StoppedError if a
  /// signal arrives in the meantime, and UsageError if this program was built without Gloo.
  Ranks(const RankEnvironment& environment, at::Device device);
  ~Ranks();
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  int rank() const { return environment_.rank; }
  int size() const { return environment_.size; }
  bool is_first() const { return rank() == 0; }

  /// An all-reduce in progress. The caller must not touch the tensor before wait() returns.
  class PendingSum {
   public:
    void wait();

   private:
    friend class Ranks;
    struct State;
    std::shared_ptr<State> state_;
  };

  /// Starts to sum a contiguous tensor across all ranks, in place, and returns immediately. The result is bit-identical
  /// on all ranks.
  PendingSum start_all_reduce(const at::Tensor& tensor);
  void all_reduce(const at::Tensor& tensor) { start_all_reduce(tensor).wait(); }

  /// Copies the values of a contiguous tensor from rank 0 to all ranks.
  void broadcast(const at::Tensor& tensor);

  /// Returns the maximum of the numbers of all ranks.
  std::int64_t all_reduce_max(std::int64_t number);

  /// Returns whether `text` is the same on all ranks.
  bool is_same_everywhere(const std::string& text);

  /// Waits until all ranks have finished. After that, the exit of a rank does not end the others.
  void finish();

  /// Announces to the other ranks that this process ends with `exit_code`. Not collective; does not throw.
  void leave(int exit_code);

 private:
  struct Connection;
  /// Connects the GPUs through NCCL. If that is not possible, they use Gloo.
  void connect_nccl(at::Device device);

  RankEnvironment environment_;
  std::shared_ptr<Connection> connection_;
};

}  // namespace slopegan
