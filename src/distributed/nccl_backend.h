#pragma once

#include <chrono>
#include <string>

#include <c10/core/Device.h>
#include <c10/util/intrusive_ptr.h>

#include "distributed/rank_environment.h"

namespace c10d {
class Backend;
class Store;
}  // namespace c10d

/// NCCL, which sums tensors across GPUs. It is available if this program was built with the headers of CUDA and NCCL.
namespace slopegan {

/// The reason why NCCL cannot be used; empty if it can.
std::string obstacle_to_nccl();

/// Whether this is not the first rank to use its GPU. Each rank must call this function exactly once. False if there is
/// an obstacle_to_nccl.
bool shares_gpu(c10d::Store& store, c10::Device device);

/// Must only be called if there is no obstacle_to_nccl. Throws c10::Error.
c10::intrusive_ptr<c10d::Backend> make_nccl(const c10::intrusive_ptr<c10d::Store>& store,
                                            const RankEnvironment& environment, std::chrono::milliseconds timeout);

}  // namespace slopegan
