#pragma once

#include <functional>
#include <map>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "training/batch_work.h"
#include "training/device_graph.h"

namespace slopegan {

/// Does the work on a batch, on devices with graphs by playing back a recording of it: a step is hundreds of small
/// operators, each of which costs the host more time than a GPU needs for it.
///
/// Batches of one size with the same things to do share a recording. It is made at the third of them, when the
/// libraries have chosen their algorithms, and has inputs of its own, into which those of each batch are copied. Where
/// a recording fails, a warning says so once, and that work is done as it comes.
class RecordedStep {
 public:
  using Work = std::function<BatchFigures(const StepInputs&)>;

  /// is_repeatable: whether `work` does the same every time (see compute_batch) and may be recorded. `state`: the one
  /// that it changes.
  RecordedStep(GanState& state, bool is_repeatable, Work work);

  /// The figures, and the gradients at the parameters, hold until the next call.
  BatchFigures run(const StepInputs& inputs);

 private:
  struct Recording {
    std::int64_t batches_before = 0;
    bool is_refused = false;
    std::unique_ptr<DeviceGraph> graph;  // nothing before the third batch
    StepInputs inputs;
    BatchFigures figures;
    std::vector<std::pair<at::Tensor, at::Tensor>> gradients;  // by parameter
  };

  bool record(Recording& recording, const StepInputs& inputs);

  GanState& state_;
  bool may_record_, has_warned_ = false;
  Work work_;
  std::map<std::tuple<std::int64_t, bool, bool>, Recording> recordings_;
};

}  // namespace slopegan
