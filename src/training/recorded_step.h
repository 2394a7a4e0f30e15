#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include <c10/core/Device.h>

#include "training/batch_step.h"

namespace slopegan {

/// A sequence of device operators that is recorded once and replayed with one call, such as a CUDA graph. Every replay
/// uses the same tensors with their current contents. Host-side decisions are fixed when the graph is recorded.
class DeviceGraph {
 public:
  virtual ~DeviceGraph() = default;

  /// Starts recording: until end(), operators that this thread launches are recorded and not executed, and a host
  /// synchronisation is an error. begin() and end() throw c10::Error. end() must be called even after a failure; the
  /// graph then cannot be replayed.
  virtual void begin() = 0;
  virtual void end() = 0;
  /// Enqueues the graph on the current stream.
  virtual void replay() = 0;
};

/// Creates a graph for a device type. Returns nullptr if the device does not support graphs, if the LibTorch version
/// or headers that this program was built with do not support them, or if the environment variable SLOPEGAN_CUDA_GRAPHS
/// is 0.
std::unique_ptr<DeviceGraph> make_device_graph(c10::DeviceType device);

/// Registers a graph factory for a device type. The factory for CUDA is registered by default.
void register_device_graphs(c10::DeviceType device, std::unique_ptr<DeviceGraph> (*make)());

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
