#pragma once

#include <ATen/core/Tensor.h>

namespace slopegan {

/// The maps [N, C, H, W] with the channels of a place one after the other in memory; themselves where they lie so.
inline at::Tensor channels_last(const at::Tensor& maps) { return maps.contiguous(at::MemoryFormat::ChannelsLast); }

}  // namespace slopegan
