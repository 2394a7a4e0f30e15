#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "training/batch_step.h"
#include "training/device_graph.h"

namespace slopegan {

/// Computes the batches of a step. On devices that support graphs, it replays recordings, because a step consists of
/// hundreds of small operators, and the host takes longer to launch each operator than a GPU takes to execute it.
///
/// Batches with the same size and loss terms share a recording. It is made on the third such batch, by which time the
/// libraries have selected their algorithms. The recording owns its input tensors; the inputs of each batch are copied
/// into them. If recording fails, a warning is logged once, and the batches are computed operator by operator.
class RecordedStep {
 public:
  using Computation = std::function<BatchResults(const StepInputs&)>;

  /// `state` is the state that `compute` changes. `is_repeatable` is true if the shapes and flags of the inputs
  /// determine the sequence of operators (see compute_batch); otherwise, nothing is recorded.
  RecordedStep(GanState& state, bool is_repeatable, Computation compute);

  /// Computes one batch. The results, and the gradients of the parameters, are valid until the next call.
  BatchResults run(const StepInputs& inputs);

  /// The number of batches that were computed by replaying a recording.
  std::int64_t replayed() const { return replayed_; }

 private:
  struct Recording {
    std::int64_t batches_before = 0;
    bool has_failed = false;
    std::unique_ptr<DeviceGraph> graph;  // nullptr until the third batch, or if recording failed
    StepInputs inputs;
    BatchResults results;
    std::vector<std::pair<at::Tensor, at::Tensor>> gradients;  // pairs of a parameter and its gradient
  };

  bool record(Recording& recording, const StepInputs& inputs);

  GanState& state_;
  bool may_record_, has_warned_ = false;
  std::int64_t replayed_ = 0;
  Computation compute_;
  std::map<std::tuple<std::int64_t, bool, bool>, Recording> recordings_;
};

}  // namespace slopegan
