#pragma once

#include <cstdint>

#include <c10/core/Device.h>

/// A device in software, to see without a GPU what the program gives one to do. Its tensors lie in memory of their own
/// kind and cannot be mixed with the CPU's, its operators are the CPU's, and it has graphs (slopegan::DeviceGraph) that
/// are as strict as CUDA's: what is recorded is not done, what comes out of it holds nothing before the first playing,
/// numbers that the host gave an operator stay as they were, and neither side can copy from the other meanwhile.
namespace slopegan::emulated {

inline const c10::Device device{c10::DeviceType::HPU, 0};

/// A LibTorch with CUDA knows no other accelerator, so that there is none to emulate.
bool is_possible();

/// From now on make_device_graph finds it. Graphs whose recording is `refused` end with an error in the middle.
void provide_graphs(bool refused = false);

/// Operators that the host gave to the device so far; a playing is one.
std::int64_t operators_given();

std::int64_t graphs_played();

}  // namespace slopegan::emulated
