#pragma once

#include <memory>
#include <string>

#include <c10/core/Device.h>

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

/// The name of a GPU, such as "NVIDIA H200". Empty for other devices, if this program was built without the headers of
/// CUDA, or if CUDA reports an error.
std::string gpu_name(c10::Device device);

}  // namespace slopegan
