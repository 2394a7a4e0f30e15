#pragma once

#include <cstdint>

#include <c10/core/Device.h>

/// A software device for testing device code without a GPU. Its tensors cannot be mixed with CPU tensors, and it uses
/// the CPU's operators. Its graphs (slopegan::DeviceGraph) are as strict as CUDA's: recorded operators are not
/// executed, their outputs are undefined before the first replay, host numbers passed to an operator are fixed when it
/// is recorded, and copies between host and device are errors during a recording.
namespace slopegan::emulated {

inline const c10::Device device{c10::DeviceType::HPU, 0};

/// Returns false if LibTorch was built with CUDA, because it then supports no other accelerator.
bool is_possible();

/// Registers the device's graphs for make_device_graph. With `fail`, recording throws after 20 operators.
void provide_graphs(bool fail = false);

/// The number of operators launched so far; a replay counts as one.
std::int64_t operators_launched();

}  // namespace slopegan::emulated
