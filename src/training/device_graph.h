#pragma once

#include <memory>

#include <c10/core/Device.h>

namespace slopegan {

/// Work of a device that is recorded once and played back by one call: a CUDA graph. Its operators find the same
/// tensors at every playing, with the contents that those have by then; nothing that the host decides is decided anew.
class DeviceGraph {
 public:
  virtual ~DeviceGraph() = default;

  /// From here to end(), what this thread gives the device to do is recorded and not done, and to ask the device for a
  /// value is an error. Both throw c10::Error; after a failure end() has to be called as well, and leaves a graph that
  /// cannot be played.
  virtual void begin() = 0;
  virtual void end() = 0;
  /// Gives the recorded work to the device, which does it after all that it was given before.
  virtual void play() = 0;
};

/// Nothing where the device, or the LibTorch and the headers that this was built with, has none, and where the
/// environment says SLOPEGAN_CUDA_GRAPHS=0.
std::unique_ptr<DeviceGraph> make_device_graph(c10::DeviceType device);

/// How graphs of a kind of device are made; CUDA's are known.
void register_device_graphs(c10::DeviceType device, std::unique_ptr<DeviceGraph> (*make)());

}  // namespace slopegan
